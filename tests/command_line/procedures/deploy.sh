#!/usr/bin/env bash
set -euo pipefail

PROJECT=${1:-shop-123}
REGION=europe-west1
IMAGE="europe-west1-docker.pkg.dev/shop-123/web/shop:$(date +%s)"

docker build --platform=linux/amd64 --build-arg MODE=fast --build-arg TOKEN=abc -f docker/Dockerfile -t "$IMAGE" service
docker push "$IMAGE"

gcloud beta run deploy shop \
  --image "$IMAGE" --project=shop-123 --region "$REGION" --quiet \
  --memory=1Gi --cpu 2 --concurrency 40 \
  --no-allow-unauthenticated \
  --max-instances=$MOST \
  --set-env-vars "^;^LOG_LEVEL=info;HOSTS=a,b" \
  --set-env-vars=STRIPE_API_KEY=sk-live-1234567890abcdef \
  --set-secrets=TOKEN=token:3,/etc/key=key:1 \
  --gpu-vendor amd \
  --no-traffic --tag next
gcloud run services update-traffic shop --to-tags next=20
gcloud run jobs execute clean-up

status=$(curl -s -o /dev/null -w '%{http_code}' "$URL/health")
if [ "$status" != "200" ]; then exit 1; fi
curl -s "$URL/items" -H "Authorization: Bearer $TOKEN"
curl -sf "$URL/items/$ID"
curl -s https://example.github.com/health
