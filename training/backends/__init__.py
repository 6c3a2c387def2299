"""Where programs run. A backend submits a job folder, tells whether its program lives, and cancels it."""
