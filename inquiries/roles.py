"""Agents and supervisors: two groups with real permissions."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from inquiries.models import User

AGENTS = "Agentes"
SUPERVISORS = "Supervisores"
GROUPS = (AGENTS, SUPERVISORS)
VIEW_ONLY = ("inquiry", "analysis", "correction", "inquiryevent", "message")
# A key is revoked and a person deactivated: neither is deleted, so that what they did stays explainable.
MANAGED = ("category", "sitesettings", "apikey", "user")


def install() -> None:
    """Make both groups and give them what they need, keeping what a superuser added."""
    work = Permission.objects.filter(content_type__app_label="inquiries", codename="work_inbox")
    agents, _ = Group.objects.get_or_create(name=AGENTS)
    agents.permissions.add(*work)
    supervisors, _ = Group.objects.get_or_create(name=SUPERVISORS)
    supervisors.permissions.add(*work, *_supervisor_permissions())


def exceeds_groups(person: User) -> bool:
    """Tell whether a person may do more than an agent or a supervisor."""
    if person.is_superuser or person.user_permissions.exists():
        return True
    return person.groups.exclude(name__in=GROUPS).exists()


def _supervisor_permissions() -> list[Permission]:
    codenames = ["supervise", "delete_category", *(f"view_{name}" for name in VIEW_ONLY)]
    codenames += [f"{verb}_{name}" for name in MANAGED for verb in ("view", "add", "change")]
    ours = Q(content_type__app_label="inquiries", codename__in=codenames)
    # Deleting failed sign-ins unlocks a person.
    lockouts = Q(content_type__app_label="axes", codename__in=["view_accessattempt", "delete_accessattempt"])
    return list(Permission.objects.filter(ours | lockouts))
