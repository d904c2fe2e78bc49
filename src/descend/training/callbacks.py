"""Callbacks of a run: the events that they hear, and who hears which."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from descend.errors import ConfigError

EVENTS = ("on_train_begin", "on_epoch_begin", "on_step", "on_epoch_end", "on_train_end")
"""What a callback may have methods for; each is called with the `Course`."""


class Callbacks:
    """Callbacks by event. A plain function is called after each epoch.

    Raises ConfigError for a callback that hears nothing.
    """

    def __init__(self, callbacks: Sequence[object] = ()) -> None:
        self.by_event: dict[str, list[Callable[..., object]]] = {event: [] for event in EVENTS}
        for callback in callbacks:
            if isinstance(callback, type):
                name = callback.__name__
                raise ConfigError(f"`{name}` is a class. Give a callback made from it: {name}().")
            heard = [event for event in EVENTS if hasattr(callback, event)]
            for event in heard:
                self.by_event[event].append(getattr(callback, event))
            if heard:
                continue
            if not callable(callback):
                raise ConfigError(
                    f"A callback has methods such as {', '.join(EVENTS)}, or is a function that is called after each "
                    f"epoch; this is a {type(callback).__name__}."
                )
            self.by_event["on_epoch_end"].append(callback)

    def hear(self, event: str) -> bool:
        """Whether somebody hears an event."""
        return bool(self.by_event[event])

    def tell(self, event: str, run: object) -> bool:
        """Call the callbacks of an event; whether one says that the run is to end: by True, or StopIteration."""
        end = False
        for hook in self.by_event[event]:
            try:
                end = hook(run) is True or end
            except StopIteration:
                end = True
        return end
