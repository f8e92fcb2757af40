#!/usr/bin/env bash
# A rehearsal by hand, with docker, curl and an Envoy whose route file is replaced. It does what
# `pytest features/ -m "not drill"` does to the engine and to the service, in the same order: the same
# build, containers, limits, requests, shares and bakes; it judges what a page of shell would judge.
#
# usage: shell.sh PROJECT REPOSITORY ENVOY BASELINE
set -euo pipefail

project=$1 repository=$2 envoy=$3 baseline=$4
bake=3 probers=8 rate=25/s # as release.yaml: 200 a second, for 3 s
work=$(mktemp -d)
name=greenrun-shell-$$
token=$(openssl rand -hex 12)
auth="Authorization: Bearer $token"
user_agent=
limits=(--cpus 1 --memory 512m --memory-swap 512m --network "$name" --volume "$name:/data")
variables=(--env DATABASE_URL=sqlite:////data/emergence.db --env LOG_LEVEL=INFO --env PORT=8080
    --env "API_TOKEN=$token" --env "ANALYSIS_API_KEY=$token" --env "DEV_BYPASS=$token")
running=()

leave() {
    for container in "${running[@]}"; do docker stop --time 10 "$container" >"$work/left" 2>&1 & done
    wait $(jobs -p | grep -vx "${envoy_pid:-0}") || true
    for container in "${running[@]}"; do docker rm --force "$container" >>"$work/left" 2>&1 || true; done
    [ -z "${envoy_pid:-}" ] || kill "$envoy_pid" || true
    docker volume rm "$name" >>"$work/left" 2>&1 || true
    docker network rm "$name" >>"$work/left" 2>&1 || true
    rm -rf "$work"
}
trap leave EXIT

refuse() { echo "$1" >&2 && exit 1; }

job() { # IMAGE COMMAND...: to its end, as a job execution
    docker run --rm "${limits[@]}" "${variables[@]}" "$@"
}

start() { # REVISION IMAGE: until it is healthy; leaves its address in $address
    docker run --detach --name "$name-$1" "${limits[@]}" "${variables[@]}" --env "K_REVISION=$1" "$2" >/dev/null
    running+=("$name-$1")
    address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name-$1")
    local tries=0
    until curl --silent --fail --output /dev/null "http://$address:8080/api/health"; do
        [ $((tries += 1)) -lt 200 ] || refuse "$1 is not healthy"
        sleep 0.05
    done
}

cluster() { # NAME HOST
    cat <<EOF
{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "$1", "type": "STATIC",
 "load_assignment": {"cluster_name": "$1", "endpoints": [{"lb_endpoints": [
  {"endpoint": {"address": {"socket_address": {"address": "$2", "port_value": 8080}}}}]}]}}
EOF
}

clusters() { # JSON...: replaces them
    local IFS=,
    echo "{\"resources\": [$*]}" >"$work/clusters.draft"
    mv "$work/clusters.draft" "$work/clusters.json"
}

split() { # PERCENT of the candidate: returns once Envoy answers by it
    version=$((${version:-0} + 1))
    local weights="{\"name\": \"baseline\", \"weight\": $((100 - $1))}"
    [ "$1" -eq 0 ] || weights+=", {\"name\": \"candidate\", \"weight\": $1}"
    cat >"$work/routes.draft" <<EOF
{"version_info": "$version", "resources": [{"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
 "name": "routes", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
  {"match": {"path": "/split"}, "direct_response": {"status": 200, "body": {"inline_string": "$version"}}},
  {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [$weights]}}}]}]}]}
EOF
    mv "$work/routes.draft" "$work/routes.json"
    until [ "$(curl --silent "$url/split")" = "$version" ]; do sleep 0.01; done
}

ingress() { # starts Envoy; leaves the public address in $url
    cat >"$work/envoy.json" <<EOF
{"node": {"id": "shell", "cluster": "shell"},
 "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
 "dynamic_resources": {"cds_config": {"path_config_source": {"path": "$work/clusters.json"}, "resource_api_version": "V3"}},
 "static_resources": {"listeners": [{"name": "public",
  "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
  "filter_chains": [{"filters": [{"name": "http", "typed_config": {
   "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
   "stat_prefix": "public", "upgrade_configs": [{"upgrade_type": "websocket"}],
   "rds": {"route_config_name": "routes", "config_source": {"path_config_source": {"path": "$work/routes.json"}, "resource_api_version": "V3"}},
   "access_log": [{"name": "file", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "$work/access.log",
    "log_format": {"text_format_source": {"inline_string": "%REQ(USER-AGENT)% %UPSTREAM_CLUSTER% %RESPONSE_CODE% %DURATION%\n"}}}}],
   "http_filters": [{"name": "router", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}]}]}]}}
EOF
    "$envoy" --config-path "$work/envoy.json" --admin-address-path "$work/admin" --concurrency 2 \
        --file-flush-interval-msec 50 --log-level off --disable-hot-restart &
    envoy_pid=$!
    until [ -s "$work/admin" ] && curl --silent --fail --output /dev/null "$(<"$work/admin")/ready"; do sleep 0.01; done
    url=http://$(curl --silent "$(<"$work/admin")/listeners" | sed -n 's/^public:://p')
}

ask() { # TIMES URL OPTION...: every answer is 200
    local times=$1 address=$2 status
    shift 2
    for status in $(curl --silent --header "$auth" "$@" --output /dev/null --write-out '%{http_code}\n' "$address?n=[1-$times]" 2>/dev/null); do
        [ "$status" = 200 ] || refuse "$address answers $status"
    done
}

answers() { # REVISION: ten requests, all of them answered by it, as the access log tells
    user_agent=proof-$RANDOM
    ask 10 "$url/api/health" --user-agent "$user_agent"
    until [ "$(grep -c "^$user_agent" "$work/access.log")" = 10 ]; do sleep 0.05; done
    [ "$(grep -c "^$user_agent $1" "$work/access.log")" = 10 ] || refuse "answers come from others than $1"
}

baked() { # watch one share, with our own probes, and count what the candidate could not answer
    local paths=("/api/health?n=" "/api/dashboard/costs/summary?n=" "/api/dashboard/timeline/costs?period=7d&n=") probing=()
    for ((prober = 0; prober < probers; prober++)); do
        curl --silent --globoff --header "$auth" --user-agent canary --rate "$rate" --output /dev/null \
            $(for ((n = 0; n < 25 * bake; n++)); do echo "$url${paths[n % 3]}$n"; done) >/dev/null &
        probing+=($!)
    done
    sleep "$bake"
    kill "${probing[@]}" 2>/dev/null || true
    [ "$(grep -c '^canary candidate 5' "$work/access.log")" -eq 0 ] || refuse "the candidate fails requests"
    [ "$(grep -c '^canary candidate' "$work/access.log")" -ge 10 ] || refuse "too few requests"
}

docker version --format '{{.Server.Version}}' >/dev/null
docker network create "$name" >/dev/null
docker volume create "$name" >/dev/null

job "$baseline" python -m app.migrate apply >/dev/null
start baseline "$baseline" && baseline_address=$address
clusters "$(cluster baseline "$baseline_address")"
version=0 && echo '{"resources": []}' >"$work/routes.json"
ingress && split 0
answers baseline

image=$repository:shell-$$
docker build --quiet --platform linux/amd64 --label org.opencontainers.image.revision="$(git -C "$project" rev-parse HEAD)" \
    --tag "$image" "$project" >/dev/null
docker tag "$image" "$repository:latest"
docker image inspect "$image" >/dev/null && docker history "$image" >/dev/null

job "$image" python -m app.migrate status --json | grep --quiet '"migrations"'
answers baseline
for path in /api/health /api/dashboard/costs/summary /api/dashboard/timeline/costs; do ask 1 "$url$path"; done

start candidate "$image" && candidate=http://$address:8080
clusters "$(cluster baseline "$baseline_address")" "$(cluster candidate "$address")"
answers baseline
docker inspect "$name-candidate" >/dev/null
docker logs "$name-candidate" 2>&1 | grep --quiet 'Application startup complete'

for path in /api/health /api/dashboard/costs/summary /api/dashboard/timeline/activity /api/dashboard/timeline/costs \
    /api/dashboard/timeline/tokens /api/dashboard/timeline/tokens / /memory; do
    ask 6 "$candidate$path"
done
[ "$(curl --silent --output /dev/null --write-out '%{http_code}' "$candidate/api/dashboard/costs/summary")" = 401 ]
ask 1 "$candidate/api/dashboard/costs/summary" --header "x-dev-bypass: $token"
ask 1 "$candidate/api/health"
ask 1 "$candidate/api/dashboard/costs/summary" --header 'X-Session-Id: session-1'
ask 1 "$candidate/api/dashboard/costs/summary"
ask 3 "$candidate/api/metrics"
curl --silent --fail --header "$auth" --json '{"text": "a text by hand"}' "$candidate/api/memory/analyze" | grep --quiet completed
curl --silent --fail --header "$auth" --json '{"text": "a text by hand"}' "$candidate/api/memory/analyze" | grep --quiet skipped
curl --silent --include --http1.1 --max-time 0.2 --header 'Connection: Upgrade' --header 'Upgrade: websocket' \
    --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==' \
    "$candidate/ws/rehearsal" >"$work/conversation" || true
grep --quiet ' 101 ' "$work/conversation"

for share in 10 50; do split "$share" && baked; done
split 100
answers candidate
answers candidate
for path in /api/health /api/dashboard/costs/summary; do ask 1 "$url$path"; done
docker image rm "$image" >/dev/null
