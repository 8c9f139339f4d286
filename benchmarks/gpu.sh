#!/bin/sh
# Fine-tune the bundled encoder at full length on a GPU machine without network ("there"): read on in
# colloquial text (pretrain-colloquial), then three seeds of three epochs on all labelled sets.
#
#   here:   sh benchmarks/gpu.sh pack              # tokenise the corpus once, into parts in .gpu/
#   there:  sh benchmarks/gpu.sh take              # once for each part carried: copy it to /tmp/gpu
#   there:  sh benchmarks/gpu.sh pretrain SECONDS  # once all parts are there; repeat it to resume
#   there:  sh benchmarks/gpu.sh finetune SEED     # write parts to $OUT; once for each seed
#   here:   cat PARTS | xz -d | tar x -C runs      # runs/best-gpu-SEED, for export and `train --teacher`
#
# Parts are below 60 MiB on the way there and below 15 MiB on the way back. $NLPKIT_DATA must be set
# here; the machine there needs a python3 with torch, tokenizers, safetensors, typer and rich.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=/tmp/gpu
export PYTHONPATH="$here" NLPKIT_DATA="${NLPKIT_DATA:-$place/data}" PYTHONUNBUFFERED=1

pack() {
  mkdir -p "$here/.gpu"
  # One step writes the tokenizer and the corpus as ids; its checkpoint is not packed. The run
  # there starts from export/base, which must be in the checkout that travels.
  python3 -m nlpkit pretrain pretrain-colloquial -o "$here/.gpu/run" --device cpu \
    --set pretrain.steps=1 --set pretrain.batch_tokens=512
  cp "$here/models/pretrain-colloquial/recipe.toml" "$here/.gpu/recipe.toml"
  tar c -C "$here" teaching/rows.jsonl -C "$here/.gpu" recipe.toml run/tokenizer.json run/corpus \
    -C "$NLPKIT_DATA/.." $(cd "$NLPKIT_DATA/.." && name=$(basename "$NLPKIT_DATA") &&
      echo "$name/sentiment_pt" "$name/sentiment_en" "$name/ud" "$name/parallel/pira_qa") |
    xz -6 -T0 | split -b 60000000 - "$here/.gpu/part."
  rm -r "$here/.gpu/run"
  ls -l "$here"/.gpu/part.*
}

take() {
  mkdir -p "$place"
  cp -n "$here"/.gpu/part.* "$place/"
}

pretrain() {
  [ -d "$place/run" ] || { cat "$place"/part.* | xz -d | tar x -C "$place"; }
  # SIGINT saves a checkpoint, from which the same command resumes.
  timeout -s INT "$1" python3 -m nlpkit pretrain "$place/recipe.toml" -o "$place/run" \
    --device cuda --resume || [ $? -eq 124 ] || [ $? -eq 130 ]
  tail -n 3 "$place/run/metrics.jsonl"
}

finetune() {
  cp "$place/teaching/rows.jsonl" "$here/teaching/rows.jsonl"
  python3 -m nlpkit train sentiment-best --init "$place/run" -o "$place/best-gpu-$1" \
    --device cuda --set train.epochs=3 --set train.lr=1e-3 --set train.seed="$1" --set init.freeze=0
  rm -f "$place/best-gpu-$1/last.safetensors"
  tar c -C "$place" "best-gpu-$1" | xz -1 -T0 | split -b 15000000 - "$OUT/best-$1."
}

case ${1:-} in
  pack | take) "$1" ;;
  pretrain) pretrain "${2:-480}" ;;
  finetune) finetune "${2:-1}" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" ;;
esac
