"use strict";
// A step of the film: written out with its numbers, and said in words. Also how numbers are written.
(() => {
  // Four digits, with a true minus sign, as the rest of the page writes them.
  const number = (value, digits = 4) => {
    if (value === null || Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (value === 0) return "0";
    const [mantissa, power] = value.toExponential(digits - 1).split("e"), far = +power < -4 || +power >= digits;
    const plain = Number(value.toPrecision(digits));
    const text = far ? `${Number(mantissa)}e${+power}` : Math.abs(plain) < 1e-6 ? plain.toFixed(9).replace(/0+$/, "") : String(plain);
    return text.replaceAll("-", "−");
  };
  const bracketed = (value) => value < 0 ? `(${number(value)})` : number(value);
  const signed = (value) => value < 0 ? `− ${number(-value)}` : `+ ${number(value)}`;
  const filled = (text, named) => text.replace(/\{(\w+)\}/g, (all, name) => name in named ? named[name] : all);

  const lines = ({ kind, symbol, labels, more, theta, after, slope, rate }, k) => {
    const found = [];
    labels.forEach((label, i) => {
      const old = theta[k][i], next = after[k][i], g = slope[k][i], eta = rate[k];
      if (kind === "gd") return found.push(`${label} ← ${number(old)} − ${number(eta)} × ${bracketed(g)} = ${number(next)}`);
      if (kind === "scaled" && eta > 0) {
        const direction = (old - next) / eta;
        return found.push(`${label} ← ${number(old)} − ${number(eta)} × ${bracketed(direction)} = ${number(next)}`,
          `    ${symbol} = ${number(direction)},   g = ${number(g)}`);
      }
      found.push(`${label} ← ${number(old)} ${signed(next - old)} = ${number(next)}`);
      if (kind !== "batched") found.push(`    g = ${number(g)}`);
    });
    if (more) found.push(`… ${more} more`);
    return found;
  };

  // Which words fit a step of one parameter.
  const moved = (step, k, i, say) => {
    const old = step.theta[k][i], next = step.after[k][i], g = step.slope[k][i], change = next - old;
    const named = { name: step.labels[i], slope: number(g, 3), size: number(Math.abs(change), 3) };
    if (old === null || next === null) return "";
    if (change === 0) return filled(say.step_stays, named);
    const along = change > 0 ? "up" : "down";
    if (step.kind === "batched") return filled(say[`step_batches_${along}`], named);
    if (change * g > 0) return filled(say[`step_carried_${along}`], named);
    return filled(say[`step_${along}`], named);
  };
  const judged = (film, k, say) => {
    const step = film.steps, a = step.loss[k], b = step.next[k], named = { before: number(a), after: number(b) };
    if (a === null || b === null || !Number.isFinite(b)) return say.step_lost;
    named.share = number(100 * Math.abs(b - a) / Math.abs(a || 1), 2);
    const crossing = k + 1 < film.epochs.length && film.epochs[k + 1] === film.epochs[k] + 1
      ? step.labels.filter((label, i) => step.slope[k][i] * step.slope[k + 1][i] < 0) : [];
    if (number(a) === number(b)) return filled(say.step_level, named);
    const carried = step.kind === "scaled" && step.name !== "adagrad" && step.name !== "rmsprop";
    if (b > a) return filled(carried ? say.step_past : step.kind === "batched" ? say.step_noise : say.step_too_long, named);
    const fell = filled(say.step_fell, named);
    return crossing.length && step.kind === "gd" ? `${fell} ${filled(say.step_crossed, { names: crossing.join(", ") })}` : fell;
  };
  // The sentences on a step: one for each parameter, and one on J.
  const words = (film, k, say) => film.steps.taken
    ? [...film.steps.labels.map((label, i) => moved(film.steps, k, i, say)).filter(Boolean), judged(film, k, say)] : [];

  window.descendLab = Object.assign(window.descendLab || {}, { number, filled, lines, words });
})();
