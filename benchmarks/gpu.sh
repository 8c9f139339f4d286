#!/bin/sh
# A large teacher on a borrowed GPU machine that has no network: pretrain-gpu, then fine-tuned.
#
#   here:   sh benchmarks/gpu.sh pack              # tokenises the corpus once, into .gpu/ in parts
#   there:  sh benchmarks/gpu.sh take              # once for each part carried: keeps it in /tmp/gpu
#   there:  sh benchmarks/gpu.sh pretrain SECONDS  # once all parts are there; again to go on
#   there:  sh benchmarks/gpu.sh finetune          # sentiment by the labelled sets; parts to $OUT
#   here:   cat PARTS | xz -d | tar x -C runs      # runs/teacher-gpu, for `train --teacher`
#
# A part is below 60 MiB (what one call carries); what comes back is in parts below 15 MiB.
# $NLPKIT_DATA must be set here. There, a python3 with torch, tokenizers, safetensors, typer, rich.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=/tmp/gpu
export PYTHONPATH="$here" NLPKIT_DATA="${NLPKIT_DATA:-$place/data}" PYTHONUNBUFFERED=1

pack() {
  mkdir -p "$here/.gpu"
  # One step writes the tokenizer and the corpus as ids; its checkpoint stays behind.
  python3 -m nlpkit pretrain pretrain-gpu -o "$here/.gpu/run" --device cpu \
    --set pretrain.steps=1 --set pretrain.batch_tokens=512
  cp "$here/models/pretrain-gpu/recipe.toml" "$here/.gpu/recipe.toml"
  tar c -C "$here/.gpu" recipe.toml run/tokenizer.json run/corpus -C "$NLPKIT_DATA/.." \
    "$(basename "$NLPKIT_DATA")/sentiment_pt" "$(basename "$NLPKIT_DATA")/sentiment_en" |
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
  # SIGINT makes a checkpoint; the same command goes on from it.
  timeout -s INT "$1" python3 -m nlpkit pretrain "$place/recipe.toml" -o "$place/run" \
    --device cuda --resume || [ $? -eq 124 ] || [ $? -eq 130 ]
  tail -n 3 "$place/run/metrics.jsonl"
}

finetune() {
  python3 -m nlpkit train teacher-gpu --init "$place/run" -o "$place/teacher-gpu" --device cuda
  rm -f "$place/teacher-gpu/last.safetensors"
  tar c -C "$place" teacher-gpu | xz -1 -T0 | split -b 15000000 - "$OUT/teacher."
}

case ${1:-} in
  pack | take | finetune) "$1" ;;
  pretrain) pretrain "${2:-480}" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0" ;;
esac
