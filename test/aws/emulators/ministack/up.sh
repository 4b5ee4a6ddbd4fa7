#!/usr/bin/env bash
# Starts MiniStack (MIT, PyPI) as an AWS endpoint on 127.0.0.1, no Docker needed.
#   up.sh WORKDIR NODE_BIN_DIR [stock|enforced] [PORT]
# stock:    as published, http. enforced: TLS, IAM checked on what functions call, gaps closed by enforced.py.
# Writes WORKDIR/env.sh (source it, then use `cdk bootstrap`, `cdk deploy`, any SDK) and WORKDIR/pid. Stop: kill "$(cat WORKDIR/pid)".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 node=$2 mode=${3:-stock} port=${4:-4566}
mkdir -p "$work/tmp"; work=$(cd "$work" && pwd)
echo '{}' > "$work/tmp/package.json" # its worker is CommonJS, whatever package this folder is in
[ -x "$work/venv/bin/ministack" ] || { "$(command -v python3.11 || command -v python3)" -m venv "$work/venv"; timeout 400 "$work/venv/bin/pip" -q install -r "$here/requirements.lock"; }

export PATH="$node:$PATH" GATEWAY_PORT=$port BIND_HOST=127.0.0.1 LOG_LEVEL=${LOG_LEVEL:-INFO} TMPDIR="$work/tmp"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
scheme=http tls="" entry="$work/venv/bin/ministack"
if [ "$mode" = enforced ]; then
  scheme=https entry="$here/enforced.py"
  mkdir -p "$work/tls"
  if [ ! -f "$work/tls/server.crt" ]; then ( # a throw-away authority and a certificate for localhost
    cd "$work/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=emulator-ca -keyout ca.key -out ca.crt -addext basicConstraints=critical,CA:TRUE 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr 2>/dev/null
    printf 'subjectAltName=DNS:localhost,DNS:*.localhost,DNS:*.execute-api.us-east-1.amazonaws.com,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' > ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out server.crt 2>/dev/null )
  fi
  export USE_SSL=1 AUTH=true MINISTACK_SSL_CERT="$work/tls/server.crt" MINISTACK_SSL_KEY="$work/tls/server.key" NODE_EXTRA_CA_CERTS="$work/tls/ca.crt"
  export NODE_OPTIONS="--require=$here/lambda-preload.cjs"
  tls="export NODE_EXTRA_CA_CERTS=$work/tls/ca.crt AWS_CA_BUNDLE=$work/tls/ca.crt"
fi
"$work/venv/bin/python" "$entry" > "$work/ministack.log" 2>&1 &
echo $! > "$work/pid"
cat > "$work/env.sh" <<ENV
export AWS_ENDPOINT_URL=$scheme://localhost:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_EC2_METADATA_DISABLED=true CDK_DISABLE_CLI_TELEMETRY=true
$tls
ENV
for _ in $(seq 150); do
  curl -ksf "$scheme://localhost:$port/_ministack/health" > /dev/null && { echo "ready: source $work/env.sh"; exit 0; }
  kill -0 "$(cat "$work/pid")" 2>/dev/null || break
  sleep 0.2
done
tail -20 "$work/ministack.log" >&2; exit 1
