#!/usr/bin/env bash
# The steps of a release (.github/workflows/release.yaml).
#   version <tag>      the tag is what pyproject.toml and the chart say
#   images <registry>  builds, pushes and signs; says each image's digest as `target=sha256:…`
#   chart <registry>   packs, pushes and signs
#   draft <tag>        a draft of the release, with digests and bills of materials
set -euo pipefail
cd "$(dirname "$0")/.."

BASE_NAME=docker.io/library/python:3.12-slim-bookworm
CHART=deploy/helm/carillon
PACKED=var/release

version() {
  sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml | head -1
}

# The images' names as the chart has them.
repository() {
  case $1 in services) echo carillon ;; *) echo "carillon-$1" ;; esac
}

same_version() {
  local here
  here=$(version)
  [ "v$here" = "$1" ] || { echo "the tag is $1, pyproject.toml says $here" >&2; exit 1; }
  grep -qx "version: $here" "$CHART/Chart.yaml" || { echo "$CHART is not $here" >&2; exit 1; }
}

images() {
  local registry=$1 base target name metadata digest
  # One base for all of them, whatever is published meanwhile.
  base=$(docker buildx imagetools inspect "$BASE_NAME" --format '{{.Manifest.Digest}}')
  echo "registry=$registry"
  echo "base=$base"
  docker buildx create --use >&2
  mkdir -p "$PACKED"
  for target in services gateway edge; do
    name=$registry/$(repository "$target")
    metadata=$PACKED/$target.json
    docker buildx build --file docker/Dockerfile --target "$target" --platform linux/amd64 \
      --build-arg "BASE=$BASE_NAME@$base" \
      --build-arg "VERSION=$(version)" --build-arg "REVISION=$(git rev-parse HEAD)" \
      --label "org.opencontainers.image.base.name=$BASE_NAME" \
      --label "org.opencontainers.image.base.digest=$base" \
      --provenance mode=max --sbom true \
      --tag "$name:$(version)" --metadata-file "$metadata" --push . >&2
    digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$metadata")
    docker run --rm --entrypoint cat "$name@$digest" /usr/share/doc/carillon/sbom.cdx.json \
      > "$PACKED/$target.cdx.json"
    cosign sign --yes "$name@$digest" >&2
    cosign attest --yes --type cyclonedx --predicate "$PACKED/$target.cdx.json" "$name@$digest" >&2
    echo "$target=$digest"
  done
}

chart() {
  local pushed
  mkdir -p "$PACKED"
  helm package "$CHART" --destination "$PACKED"
  pushed=$(helm push "$PACKED/carillon-$(version).tgz" "oci://$1/charts" 2>&1 | tee /dev/stderr \
    | sed -n 's/^Digest: *//p')
  cosign sign --yes "$1/charts/carillon@$pushed"
}

draft() {
  {
    echo "| Image | Digest |"
    echo "|---|---|"
    echo "| carillon | \`$SERVICES\` |"
    echo "| carillon-gateway | \`$GATEWAY\` |"
    echo "| carillon-edge | \`$EDGE\` |"
    echo
    echo "Built upon \`$BASE_NAME@$BASE\`."
  } > "$PACKED/notes.md"
  gh release create "$1" --draft --title "$1" --notes-file "$PACKED/notes.md" \
    "$PACKED"/carillon-*.tgz var/sbom/*.cdx.json
}

case ${1:-} in
  version) same_version "$2" ;;
  images) images "$2" ;;
  chart) chart "$2" ;;
  draft) draft "$2" ;;
  *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
