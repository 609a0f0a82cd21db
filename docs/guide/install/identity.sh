#!/bin/sh
# identity.sh NAME FOLDER: a token for a ServiceAccount of jackstay-system, and a kubeconfig that reads it.
# Before the token expires, run it again: the programs read the file anew, and need no restart.
set -eu
umask 077
name=$1
folder=$(cd "$2" && pwd)

kubectl -n jackstay-system create token "$name" --duration=24h > "$folder/$name.token.new"
mv "$folder/$name.token.new" "$folder/$name.token"

of_cluster() { kubectl config view --raw --minify --flatten -o jsonpath="{.clusters[0].cluster.$1}"; }
ca=$(of_cluster certificate-authority-data)
cat > "$folder/$name.kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
clusters:
- {name: cluster, cluster: {server: "$(of_cluster server)"${ca:+, certificate-authority-data: $ca}}}
users:
- {name: $name, user: {tokenFile: "$folder/$name.token"}}
contexts:
- {name: $name, context: {cluster: cluster, user: $name}}
current-context: $name
CONFIG
