#!/bin/sh
# Pretrain and fine-tune a large teacher (pretrain-gpu) on a GPU machine without network ("there").
#
#   here:   sh benchmarks/gpu.sh pack              # tokenise the corpus once, into parts in .gpu/
#   there:  sh benchmarks/gpu.sh take              # once for each part carried: copy it to /tmp/gpu
#   there:  sh benchmarks/gpu.sh pretrain SECONDS  # once all parts are there; repeat it to resume
#   there:  sh benchmarks/gpu.sh finetune          # train on the labelled sets; write parts to $OUT
#   here:   cat PARTS | xz -d | tar x -C runs      # runs/teacher-gpu, for `train --teacher`
#
# Parts are below 60 MiB on the way there and below 15 MiB on the way back. $NLPKIT_DATA must be set
# here; the machine there needs a python3 with torch, tokenizers, safetensors, typer and rich.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=/tmp/gpu
export PYTHONPATH="$here" NLPKIT_DATA="${NLPKIT_DATA:-$place/data}" PYTHONUNBUFFERED=1

pack() {
  mkdir -p "$here/.gpu"
  # One step writes the tokenizer and the corpus as ids; its checkpoint is not packed.
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
  # SIGINT saves a checkpoint, from which the same command resumes.
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
