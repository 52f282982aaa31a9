"""Who asks."""

from dataclasses import dataclass, field

from models.permissions import Permission, PermissionDenied, Role, permissions_of
from models.user import User


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the machine's own command line) on whose behalf something is done."""

    user_id: int | None
    username: str
    role: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Refuse unless this is allowed."""
        if permission not in self.permissions:
            raise PermissionDenied(permission.value)


def actor_of(user: User) -> Actor:
    """A person with the permissions of the role they have now."""
    return Actor(user.id, user.username, user.role, permissions_of(user.role))


# Whoever has a shell on the machine already owns the database; jobs act for nobody else.
SYSTEM = Actor(None, "system", Role.SUPER_ADMIN.value, frozenset(Permission))
