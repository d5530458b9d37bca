# POK in one image. As it stands it runs web and worker on SQLite, like `make run`; docker-compose.yml runs them apart.
# The root may be read-only: only /app/var (and /app/backups where it is mounted, and /tmp) is written to.
FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.13-slim-trixie
# pg_dump and psql for backups. Debian 13 has version 17, which must not be older than the server of docker-compose.yml.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin pok
COPY --from=build /app/.venv .venv
COPY manage.py ./
COPY pok pok
COPY inquiries inquiries
COPY templates templates
COPY static static
COPY locale locale
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 POK_DATA_DIR=/app/var \
    POK_STATIC_DIR=/app/published/static
# A key only for this step: without one a key would be made and lie in the image, the same for everybody.
# The files lie outside of the volume, which outlives an image and would bring the old one's files into the new one.
RUN DJANGO_SECRET_KEY=for-this-step-only python manage.py setup --static \
 && python -m compileall -q manage.py pok inquiries \
 && mkdir --mode=0700 backups \
 && chown -R pok var published backups
USER 10001
VOLUME /app/var
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["python", "-m", "pok.probe"]
CMD ["python", "-m", "pok.launch", "--host", "0.0.0.0"]
