"""A person's data from the list of inquiries: give them out, or erase them after a second look."""

from __future__ import annotations

import json
from typing import cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.db.models.functions import Upper
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from inquiries.admin.base import ReadOnlyAdmin
from inquiries.models import Inquiry, User
from inquiries.services import privacy


class PersonActions(ReadOnlyAdmin):
    """Two actions on the inquiries of one address. Whoever supervises may use them, and nobody else."""

    actions = ("export_person", "erase_person")

    def has_personal_data_permission(self, request: HttpRequest) -> bool:
        """What the actions' `permissions` ask; Django finds it by its name."""
        return request.user.is_active and request.user.has_perm("inquiries.supervise")

    @admin.action(description=_("Export this person's data"), permissions=["personal_data"])
    def export_person(self, request: HttpRequest, queryset: QuerySet[Inquiry]) -> HttpResponse | None:
        """Send all that is kept of the selected address as a JSON file."""
        email = self._one_address(request, queryset)
        if email is None:
            return None
        data = privacy.export_person(email)
        privacy.note_export(email, inquiries=len(data["inquiries"]), actor=cast("User", request.user))
        name = gettext("personal-data")  # without the address: file names end up in histories and on shared desks
        return HttpResponse(
            json.dumps(data, ensure_ascii=False, indent=2),
            content_type="application/json; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}.json"',
                "Cache-Control": "no-store",
            },
        )

    @admin.action(description=_("Erase this person's data"), permissions=["personal_data"])
    def erase_person(self, request: HttpRequest, queryset: QuerySet[Inquiry]) -> HttpResponse | None:
        """Show what would go and ask for the address; erase once it was typed."""
        email = self._one_address(request, queryset)
        if email is None:
            return None
        typed = request.POST.get("address")
        if typed is None or typed.strip().casefold() != email.casefold():
            return self._confirmation(request, queryset, email, is_wrong=typed is not None)
        self._tell(request, privacy.erase_person(email, actor=cast("User", request.user)))
        return None

    def _one_address(self, request: HttpRequest, queryset: QuerySet[Inquiry]) -> str | None:
        """Return the address of all selected inquiries; None, with a message, where there are several or none."""
        found = list(queryset.order_by().values_list(Upper("email"), flat=True).distinct()[:2])
        if len(found) == 1:
            return queryset.order_by("-pk").values_list("email", flat=True).first()
        if found:
            text = gettext(
                "The selected inquiries come from several addresses. Select one inquiry of the person:"
                " all others of the same address belong to it."
            )
        else:
            text = gettext("The selected inquiries are gone already.")
        messages.error(request, text)
        return None

    def _confirmation(
        self, request: HttpRequest, queryset: QuerySet[Inquiry], email: str, *, is_wrong: bool
    ) -> TemplateResponse:
        found = privacy.preview(email)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Erase this person's data"),
            "opts": self.opts,
            "email": email,
            "found": found,
            "lines": privacy.lines(found),
            "is_wrong": is_wrong,
            # One inquiry stands for all of its address.
            "selected": queryset.order_by("-pk").values_list("pk", flat=True).first(),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/inquiries/erase_person.html", context)

    def _tell(self, request: HttpRequest, report: privacy.ErasureReport) -> None:
        text = ngettext("%(n)s inquiry was erased.", "%(n)s inquiries were erased.", report.inquiries)
        messages.success(request, " ".join([text % {"n": report.inquiries}, " · ".join(privacy.lines(report))]))
        if not report.is_overwritten:
            messages.warning(
                request,
                gettext("The database is busy: the erased bytes are overwritten at the next erasure or VACUUM."),
            )
        messages.info(request, gettext("Backups are not changed: erase again after you restore one."))
