from __future__ import annotations

from django.contrib.auth.models import Group, Permission

from inquiries import roles
from inquiries.models import User


def _codenames(group: str) -> set[str]:
    permissions = Group.objects.get(name=group).permissions
    return {f"{label}.{name}" for label, name in permissions.values_list("content_type__app_label", "codename")}


def test_agents_work_the_inbox_and_nothing_else(db):
    assert _codenames(roles.AGENTS) == {"inquiries.work_inbox"}


def test_supervisors_hold_exactly_what_the_configuration_needs(db):
    managed = {f"inquiries.{verb}_{name}" for name in roles.MANAGED for verb in ("view", "add", "change")}
    read = {f"inquiries.view_{name}" for name in roles.VIEW_ONLY}
    alone = {"inquiries.work_inbox", "inquiries.supervise", "inquiries.delete_category"}
    lockouts = {"axes.view_accessattempt", "axes.delete_accessattempt"}
    assert _codenames(roles.SUPERVISORS) == managed | read | alone | lockouts


def test_installing_again_keeps_what_was_added_and_adds_nothing_twice(db):
    extra = Permission.objects.get(codename="view_group")
    supervisors = Group.objects.get(name=roles.SUPERVISORS)
    supervisors.permissions.add(extra)
    before = set(supervisors.permissions.all())
    roles.install()
    assert set(supervisors.permissions.all()) == before
    assert Group.objects.filter(name__in=roles.GROUPS).count() == 2


def test_what_each_person_may_do(agent, supervisor, outsider):
    assert [(p.works_inbox, p.supervises) for p in (agent, supervisor, outsider)] == [
        (True, False),
        (True, True),
        (False, False),
    ]


def test_who_exceeds_the_groups(agent, supervisor, make_user):
    assert not roles.exceeds_groups(agent)
    assert not roles.exceeds_groups(supervisor)
    assert roles.exceeds_groups(make_user("raiz", is_superuser=True))
    agent.user_permissions.add(Permission.objects.get(codename="view_group"))
    assert roles.exceeds_groups(User.objects.get(pk=agent.pk))
