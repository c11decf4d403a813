"""The event loop that the server runs on."""

try:
    from uvloop import new_event_loop
except ImportError:  # It has no build for Windows.
    from asyncio import new_event_loop

__all__ = ["new_event_loop"]
