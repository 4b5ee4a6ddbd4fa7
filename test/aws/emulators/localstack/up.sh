#!/usr/bin/env bash
# LocalStack community 4.9.2 (Apache-2.0, PyPI) in host mode, no Docker, no token; needs Python 3.11, Java 17, Maven, Node.
#   up.sh WORKDIR NODE_BIN_DIR [PORT]
# Lambda runs as Node child processes; the DynamoDB Local and JSONata jars come from Maven. Writes WORKDIR/env.sh and WORKDIR/pid.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 node=$2 port=${3:-4566}
mkdir -p "$work"; work=$(cd "$work" && pwd)
[ -f "$work/venv/.done" ] || { "$(command -v python3.11 || command -v python3)" -m venv "$work/venv"; timeout 400 "$work/venv/bin/pip" -q install --no-deps -r "$here/requirements.lock"; touch "$work/venv/.done"; }
bash "$here/../jars.sh" "$work/dynamodb" "$here/../dynamodb-local/pom.xml"
bash "$here/../jars.sh" "$work/jsonata" "$here/jsonata/pom.xml"
mkdir -p "$work/root"
jvm=$(find "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")" -name libjvm.so | head -n 1)
export PATH="$node:$PATH" DDB_LOCAL_LIB="$work/dynamodb/lib" JSONATA_LIB="$work/jsonata/lib" LIBJVM="$jvm" FILESYSTEM_ROOT="$work/root"
export SQS_ENDPOINT_STRATEGY=path LOCALSTACK_HOST=localhost:$port GATEWAY_LISTEN=127.0.0.1:$port # or queue URLs name a host that only resolves online
# streams read from DynamoDB Local itself instead of a slow copy; presigned addresses checked as AWS does
export PROVIDER_OVERRIDE_DYNAMODB=v2 PROVIDER_OVERRIDE_DYNAMODBSTREAMS=v2 S3_SKIP_SIGNATURE_VALIDATION=0
export SKIP_SSL_CERT_DOWNLOAD=1 DISABLE_EVENTS=1 DNS_ADDRESS=0 EAGER_SERVICE_LOADING=0 DYNAMODB_IN_MEMORY=1 LS_LOG=${LS_LOG:-info}
nohup "$work/venv/bin/python" "$here/run_localstack.py" > "$work/localstack.log" 2>&1 &
echo $! > "$work/pid"
cat > "$work/env.sh" <<ENV
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true CDK_DISABLE_CLI_TELEMETRY=true
ENV
for _ in $(seq 200); do
  curl -sf "http://127.0.0.1:$port/_localstack/health" > /dev/null && { echo "ready: source $work/env.sh"; exit 0; }
  kill -0 "$(cat "$work/pid")" 2>/dev/null || break
  sleep 0.3
done
tail -20 "$work/localstack.log" >&2; exit 1
