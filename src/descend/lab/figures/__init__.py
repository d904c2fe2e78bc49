"""What the browser draws: figures as they stand, and what moves in them, frame by frame."""
