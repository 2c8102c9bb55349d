# The image of the operator. Its context is laid out by dev/lakehouse_dev/operator_image.py:
#   python/    Python packages by the lock file, without those of development
#   lakehouse/ lakehouse_api and lakehouse_operator
# Any Debian or Ubuntu with Python 3.11 will do as the base; what it lacks is installed.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE}
RUN set -eu; \
    missing=; \
    command -v python3 >/dev/null || missing="$missing python3"; \
    command -v tini >/dev/null || missing="$missing tini"; \
    test -e /etc/ssl/certs/ca-certificates.crt || missing="$missing ca-certificates"; \
    if [ -n "$missing" ]; then \
      apt-get update; \
      apt-get install -y --no-install-recommends $missing; \
      rm -rf /var/lib/apt/lists/* /var/cache/apt/*; \
    fi; \
    echo 'lakehouse:x:65532:65532:Lakehouse Operator:/nonexistent:/usr/sbin/nologin' >>/etc/passwd; \
    echo 'lakehouse:x:65532:' >>/etc/group; \
    ln -s "$(command -v python3)" /usr/local/bin/python
ENV PYTHONPATH=/opt/lakehouse/python:/opt/lakehouse \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY python/ /opt/lakehouse/python/
# A root that cannot be written to keeps no compiled Python, so all of it is compiled here, once.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/lakehouse/python
COPY lakehouse/ /opt/lakehouse/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/lakehouse/lakehouse_api /opt/lakehouse/lakehouse_operator
USER 65532:65532
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/python", "-P", "-m", "lakehouse_operator"]
