# Sourced by what installs: the way to registries, where it is not the public one. It comes as secrets
# of the build and is not kept: `certificates` of an authority of one's own, and `registries`, lines
# like PIP_INDEX_URL=…, UV_DEFAULT_INDEX=…, NPM_CONFIG_REGISTRY=….
if [ -f /run/secrets/certificates ]; then
  export SSL_CERT_FILE=/run/secrets/certificates PIP_CERT=/run/secrets/certificates
  export NODE_EXTRA_CA_CERTS=/run/secrets/certificates
fi
if [ -f /run/secrets/registries ]; then
  set -a
  . /run/secrets/registries
  set +a
fi
