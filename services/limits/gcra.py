"""The generic cell rate algorithm: one number a bucket, the moment at which its whole quota is there again."""

from dataclasses import dataclass

SECOND = 1_000_000_000  # nanoseconds, in which all moments are counted
SLACK = 60 * SECOND  # a moment further ahead than a bucket can be means that the clock was set back


@dataclass(frozen=True, slots=True)
class Policy:
    """A quota that may be used at once and comes back evenly over the window, in seconds."""

    quota: int
    window: int = 3600

    @property
    def interval(self) -> int:
        """What one request costs in time; rounded up, so that the quota is never exceeded."""
        return -(-self.window * SECOND // self.quota)

    @property
    def tolerance(self) -> int:
        """How far ahead the bucket may be for one more request to go through."""
        return (self.quota - 1) * self.interval

    @property
    def horizon(self) -> int:
        """How far ahead the bucket of any quota in such a window can be while the clock runs on."""
        return self.window * SECOND + SLACK


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request goes through, how many more could at once, and the seconds until there is one more."""

    allowed: bool
    remaining: int
    reset: int
    policy: Policy


def following(policy: Policy, full_at: int, now: int) -> int | None:
    """The moment that takes the place of the one that is kept when a request goes through; None when it does not.

    `side_file` and `rows` say the same in SQL, as one statement, so that no two requests take the same place.
    """
    if full_at > now + policy.horizon:
        full_at = now
    if full_at > now + policy.tolerance:
        return None
    return max(full_at, now) + policy.interval


def told(policy: Policy, full_at: int, now: int, *, allowed: bool) -> Decision:
    """What to say of a bucket as it is after the decision."""
    used = max(0, full_at - now)
    free = max(0, policy.quota * policy.interval - used)
    remaining = free // policy.interval if allowed else 0
    until_one_more = policy.interval - free % policy.interval
    if not allowed:
        until_one_more = max(1, used - policy.tolerance)
    return Decision(allowed, remaining, -(-until_one_more // SECOND), policy)
