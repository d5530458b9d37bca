"""The closed list of what an inquiry can be about."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Colour(models.TextChoices):
    """Ten palette names; `pok.css` makes each readable in light and dark."""

    BLUE = "azul", _("Blue")
    GREEN = "verde", _("Green")
    AMBER = "ambar", _("Amber")
    RED = "rojo", _("Red")
    VIOLET = "violeta", _("Violet")
    TURQUOISE = "turquesa", _("Turquoise")
    ORANGE = "naranja", _("Orange")
    PINK = "rosa", _("Pink")
    INDIGO = "indigo", _("Indigo")
    GREY = "gris", _("Grey")


class CategoryQuerySet(models.QuerySet["Category"]):
    def live(self) -> CategoryQuerySet:
        """Categories that an inquiry can be given now, in the supervisor's order."""
        return self.filter(is_active=True).order_by("position", "name")


class Category(models.Model):
    """What an inquiry is about; the examples and keywords train the embedded engine."""

    name = models.CharField(_("name"), max_length=60)
    description = models.TextField(_("description"), blank=True, max_length=500)
    examples = models.TextField(
        _("examples"),
        blank=True,
        max_length=20_000,
        help_text=_("One sentence a customer might write on each line; ten or more work well."),
    )
    keywords = models.TextField(
        _("keywords"), blank=True, max_length=5_000, help_text=_("Beginnings of words, one on each line.")
    )
    colour = models.CharField(_("colour"), max_length=10, choices=Colour.choices, default=Colour.GREY)
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="category_name_unique",
                violation_error_message=_("This category exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def example_lines(self) -> tuple[str, ...]:
        """The examples, one sentence each."""
        return tuple(line.strip() for line in self.examples.splitlines() if line.strip())

    def keyword_lines(self) -> tuple[str, ...]:
        """The keywords, one beginning of a word each."""
        return tuple(line.strip() for line in self.keywords.splitlines() if line.strip())
