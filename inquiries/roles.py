"""Agents and supervisors: two groups with real permissions."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

AGENTS = "Agentes"
SUPERVISORS = "Supervisores"
VIEW_ONLY = ("inquiry", "analysis", "correction", "inquiryevent", "message")
MANAGED = ("category", "sitesettings", "apikey", "user")


def install() -> None:
    """Make both groups and give them what they need, keeping what a supervisor added."""
    work = Permission.objects.filter(content_type__app_label="inquiries", codename="work_inbox")
    agents, _ = Group.objects.get_or_create(name=AGENTS)
    agents.permissions.add(*work)
    supervisors, _ = Group.objects.get_or_create(name=SUPERVISORS)
    supervisors.permissions.add(*work, *_supervisor_permissions())


def _supervisor_permissions() -> list[Permission]:
    wanted = Q(codename="supervise") | Q(codename__in=[f"view_{name}" for name in VIEW_ONLY])
    for name in MANAGED:
        wanted |= Q(
            content_type__model=name, codename__in=[f"{verb}_{name}" for verb in ("view", "add", "change")]
        )
    wanted |= Q(codename="delete_category")
    return list(Permission.objects.filter(wanted, content_type__app_label="inquiries"))
