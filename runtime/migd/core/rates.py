"""So many a second, with a burst: a token bucket in one number."""

from __future__ import annotations

# Adding up intervals rounds; whoever waits as long as it was told to must not be a billionth too early.
_SLACK_S = 1e-6


class TokenBucket:
    """Holds `burst` tokens, full at first, and gains `rate_per_s` of them a second.

    Kept as the moment at which it will be full again (the generic cell rate algorithm, ITU-T I.371): a
    token taken moves it by `1 / rate_per_s` seconds. Times are those of `Clock.monotonic`.
    """

    __slots__ = ("_full_at", "_interval_s", "_lead_s")

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._interval_s = 1.0 / rate_per_s
        self._lead_s = (burst - 1) * self._interval_s + _SLACK_S
        self._full_at = float("-inf")

    def wait_s(self, now: float) -> float:
        """0.0 when there is a token, else the seconds until there is one."""
        early = self._full_at - now - self._lead_s
        return early + _SLACK_S if early > 0.0 else 0.0

    def take(self, now: float) -> None:
        """To be called when `wait_s(now)` is 0.0."""
        self._full_at = max(self._full_at, now) + self._interval_s

    def give_back(self) -> None:
        """The last token taken was not used."""
        self._full_at -= self._interval_s

    def is_full(self, now: float) -> bool:
        """Whether it is as a new one."""
        return self._full_at <= now
