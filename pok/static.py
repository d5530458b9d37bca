"""Which static files are published, and how: hashed, compressed, and only what a page can ask for."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class PublishedFilesConfig(StaticFilesConfig):
    """Leave out source maps and DRF's browsable API, which POK does not serve: a tenth of the work remains."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "rest_framework"]


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with a hash, gzip and brotli beside them; source maps are not looked for."""

    patterns = tuple(
        (extension, tuple(reference for reference in references if "sourceMappingURL" not in str(reference)))
        for extension, references in CompressedManifestStaticFilesStorage.patterns
    )
