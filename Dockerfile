# One image for every command of penstock: the flow, the topics, the demo's market.
#
#   docker build -t penstock:0.1.0 .
#   docker run --rm penstock:0.1.0 config show
FROM python:3.11.15-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/penstock

# The dependencies are a layer of their own, so that a change of our code does not fetch them again.
COPY constraints.txt pyproject.toml README.md ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    > requirements.txt && /opt/penstock/bin/pip install -c constraints.txt -r requirements.txt

COPY cli cli
COPY connectors connectors
COPY flows flows
COPY schemas schemas
COPY sinks sinks
RUN /opt/penstock/bin/pip install --no-deps .


FROM python:3.11.15-slim-bookworm

# A number, not a name, so that Kubernetes can see that it is not root.
RUN groupadd --gid 10001 penstock \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/penstock --shell /usr/sbin/nologin penstock \
    && install -d -o 10001 -g 10001 /var/lib/penstock /var/cache/penstock

COPY --from=build /opt/penstock /opt/penstock

# Compiled kernels go under XDG_CACHE_HOME. It and the state folder are all that is written to; the rest may be read-only.
ENV PATH=/opt/penstock/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/var/cache/penstock

USER 10001:10001
WORKDIR /var/lib/penstock
EXPOSE 9464

# For `penstock run`. A command that serves nothing has to switch it off (--no-healthcheck).
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/health/live', timeout=4)"]

ENTRYPOINT ["penstock"]
CMD ["--help"]
