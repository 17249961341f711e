# One process, not root, a read-only root file system; everything that changes is in /data (a local disk, not NFS).
FROM python:3.11-slim

RUN useradd --uid 10001 --create-home gateway && mkdir /data && chown gateway /data
WORKDIR /srv/gateway
COPY pyproject.toml uv.lock README.md ./
RUN pip install --no-cache-dir uv==0.13.8 \
    && uv export --quiet --frozen --no-dev --no-emit-project --output-file /tmp/requirements.txt \
    && uv pip install --system --no-cache --require-hashes --requirement /tmp/requirements.txt
COPY migrations migrations
COPY app app
RUN uv pip install --system --no-cache --no-deps --editable .

USER 10001
ENV GATEWAY_DATA_DIR=/data PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
CMD ["gateway", "serve", "--host", "0.0.0.0"]
