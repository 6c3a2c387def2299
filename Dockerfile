# One image for web and workers. The worker of the gpu queue takes the same one with the card's torch.
FROM python:3.11-slim AS site
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 qianti
WORKDIR /app
COPY pyproject.toml constraints.txt ./
RUN pip install --no-cache-dir "$(grep '^pip==' constraints.txt)" \
 && pip install --no-cache-dir -c constraints.txt --group site
COPY . .
RUN pybabel --quiet compile --directory locale --domain django \
 && mkdir -p /var/lib/qianti && chown -R qianti /var/lib/qianti
ENV QIANTI_HOME=/var/lib/qianti
USER qianti
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8"]

# Training and evaluation: torch for the card, TRL, DeepSpeed and vLLM beside the site.
FROM site AS gpu
USER root
RUN pip install --no-cache-dir --group train --group gpu
USER qianti
CMD ["celery", "-A", "config", "worker", "-Q", "gpu", "--concurrency", "1", "-l", "info"]
