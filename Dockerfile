# Two images: the service (the last stage, the default), and `training` (--target training), in which
# the pipeline runs and MLflow is served. Build with `docker build .`; models that the service shall
# have in it lie in baked/ beforehand, which `make image BAKE=1` sees to.
#
# The digest pins the bytes; `docker buildx imagetools inspect python:3.11.14-slim-bookworm` shows the
# one of now, which has newer packages of Debian.
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS base
ENV PYTHONUNBUFFERED=1 \
    BENTOML_DO_NOT_TRACK=True \
    DO_NOT_TRACK=true \
    DVC_NO_ANALYTICS=1 \
    GX_ANALYTICS_ENABLED=False \
    HF_HUB_DISABLE_TELEMETRY=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    PATH=/opt/venv/bin:$PATH
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

# uv alone comes by pip, as the lock pins it; it brings everything else, and stays out of the images.
FROM base AS uv
COPY requirements.lock /locks/
RUN awk '/^uv==/ {take=1} take {print} take && !/\\$/ {exit}' /locks/requirements.lock > /locks/uv.txt \
    && python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
        -r /locks/uv.txt

# PAGE=1 puts the packages of the page at / into the service's image too: 150 MB more.
FROM uv AS serving-packages
ARG PAGE=
COPY requirements-serve.lock requirements-page.lock /locks/
RUN python -m venv --without-pip /opt/venv \
    && /opt/uv/bin/uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes \
        --compile-bytecode "/locks/requirements-$([ -n "$PAGE" ] && echo page || echo serve).lock"

FROM uv AS training-packages
RUN python -m venv --without-pip /opt/venv \
    && /opt/uv/bin/uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes \
        --compile-bytecode /locks/requirements.lock

FROM serving-packages AS bento
WORKDIR /build
COPY . .
RUN PATH=/opt/uv/bin:$PATH BENTOML_HOME=/tmp/bentoml bentoml build . --output tag \
    && mv "$(dirname "$(find /tmp/bentoml/bentos -name bento.yaml)")" /bento \
    && python -m compileall -q /bento/src \
    && chmod -R a+rX /bento

FROM base AS training
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git=1:2.39.* make=4.3-* \
    && rm -rf /var/lib/apt/lists/*
COPY --from=training-packages /opt/venv /opt/venv
RUN install --directory --owner=10001 --group=10001 /data /work
USER 10001:10001
WORKDIR /work
ENV HOME=/tmp
VOLUME /data
EXPOSE 5000
# MLFLOW_BACKEND_STORE_URI_FILE: a file, as secrets are given, with the address of the database.
CMD ["bash", "-euc", "exec mlflow server --host 0.0.0.0 --port 5000 --workers 1 --backend-store-uri \"$(cat \"${MLFLOW_BACKEND_STORE_URI_FILE:?}\")\" --serve-artifacts --artifacts-destination /data/artifacts --allowed-hosts \"${MLFLOW_ALLOWED_HOSTS:-localhost:*,127.0.0.1:*,mlflow:*}\""]

FROM base AS service
COPY --from=serving-packages /opt/venv /opt/venv
COPY --from=bento /bento /bento
RUN install --directory --owner=10001 --group=10001 /data
WORKDIR /bento/src
# For any CPU of the architecture. It is code, and so out of reach of whoever runs it.
ENV NUMBA_CACHE_DIR=/opt/native
RUN python -m models.compiling && chmod -R a+rX /opt/native
USER 10001:10001
# The rest of the file system may be read-only: what is written lies in /tmp and in /data.
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    BENTOML_HOME=/tmp/bentoml \
    BENTOML_HOST=0.0.0.0 \
    CAREERLENS_CACHE=/data/hub \
    CAREERLENS_DATABASE_URL=sqlite:////data/feedback.db
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "serving.start", "--check"]
CMD ["bentoml", "serve", "/bento"]
