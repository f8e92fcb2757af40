FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --system emergence && install -d -o emergence /data
WORKDIR /srv

COPY app/requirements.txt app/requirements.txt
RUN pip install --quiet --root-user-action=ignore -r app/requirements.txt

COPY app app
RUN python -m compileall -q app

USER emergence
EXPOSE 8080
CMD ["python", "-m", "app"]
