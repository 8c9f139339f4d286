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
# Models that write, larger and longer than two cores allow, in the order of WRITERS:
#
#   here:   sh benchmarks/gpu.sh pack_write        # the data, into parts in .gpu/
#   there:  sh benchmarks/gpu.sh take              # as above
#   there:  sh benchmarks/gpu.sh write SECONDS     # train for so long; repeat it to resume and go on
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

# By worth: translations gain most from a GPU.
WRITERS="translate-pt-en translate-en-pt lm-pt title-pt lm-pt-lstm"

pack_write() {
  mkdir -p "$here/.gpu"
  tar c -C "$NLPKIT_DATA/.." $(cd "$NLPKIT_DATA/.." && name=$(basename "$NLPKIT_DATA") &&
    grep -ho 'path = "[^"]*"' $(printf "$here/models/%s/recipe.toml " $WRITERS) |
    cut -d'"' -f2 | xargs -n1 dirname | sort -u | sed "s|^|$name/|") |
    split -b 60000000 - "$here/.gpu/part.write."
  ls -l "$here"/.gpu/part.write.*
}

# Settings of a GPU: twice the width of the translations, a deeper lm-pt, larger batches, more steps.
larger() {
  case $1 in
    translate-*) echo architecture.width=384 architecture.layers=6 architecture.feedforward=1536 \
      decoder.width=384 decoder.layers=3 decoder.feedforward=1536 train.steps=30000 ;;
    lm-pt) echo decoder.width=384 decoder.layers=8 decoder.feedforward=1536 train.steps=30000 ;;
    lm-pt-lstm) echo decoder.hidden=1536 decoder.layers=2 train.steps=30000 ;;
    *) echo train.steps=10000 ;;
  esac
}

write() {
  [ -d "$place/data" ] || { cat "$place"/part.write.* | tar x -C "$place"; }
  until=$(($(date +%s) + $1))
  for name in $WRITERS; do
    left=$((until - $(date +%s)))
    [ "$left" -gt 20 ] || break
    [ ! -e "$place/$name/run.json" ] || continue
    set --
    for setting in $(larger "$name") train.batch_tokens=16384 train.eval_steps=2000; do
      set -- "$@" --set "$setting"
    done
    # SIGINT saves a checkpoint, from which the same command resumes.
    timeout -s INT "$left" python3 -m nlpkit train "$here/models/$name/recipe.toml" \
      -o "$place/$name" --device cuda --resume "$@" || [ $? -eq 124 ] || [ $? -eq 130 ]
    tail -n 1 "$place/$name/metrics.jsonl" || true
    [ -z "${OUT:-}" ] || tar c -C "$place" --exclude last.safetensors "$name" |
      xz -1 -T0 | split -b 15000000 - "$OUT/$name."
  done
}

case ${1:-} in
  pack | take) "$1" ;;
  pretrain) pretrain "${2:-480}" ;;
  finetune) finetune "${2:-1}" ;;
  pack_write) pack_write ;;
  write) write "${2:-540}" ;;
  *) sed -n '2,18s/^# \{0,1\}//p' "$0" ;;
esac
