# The application alone, for use with a Neo4j beside it: see docker-compose.yml.
FROM python:3.13.9-slim-trixie

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# Before the code, so that a change of the code does not fetch the packages again.
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary=:all: -r requirements.txt

COPY graph ./graph
COPY services ./services
COPY resolvers ./resolvers
COPY schema ./schema
COPY accountgraph ./accountgraph
RUN python -m compileall -q graph services resolvers schema accountgraph \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin accountgraph \
    && install -d -m 0700 -o accountgraph /data

USER accountgraph
ENV ACCOUNTGRAPH_HOST=0.0.0.0 ACCOUNTGRAPH_PORT=8000 ACCOUNTGRAPH_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]

ENTRYPOINT ["python", "-m", "accountgraph"]
CMD ["serve"]
