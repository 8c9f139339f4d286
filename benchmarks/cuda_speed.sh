#!/bin/sh
# cuda_speed.py and `nlpkit batch` on a borrowed GPU machine that has no network.
#
# There, the image's python3 has torch, tokenizers, onnx, onnxscript, safetensors, typer and rich, and
# an onnxruntime without CUDA: the wheel of onnxruntime-gpu (255 MB) must be carried, in parts, for a
# call carries 64 MiB, working tree and all. The tree alone is more, with its bundles' .onnx files.
#
#   here:   sh benchmarks/cuda_speed.sh pack      # wheel, texts, a bundle, into .cuda/part.* (five)
#   here:   git sparse-checkout set --no-cone '/*' '!/export/*/*.onnx'    # afterwards: disable
#   there:  sh benchmarks/cuda_speed.sh take      # once for each part, carry .cuda/part.XX: kept there
#   there:  sh benchmarks/cuda_speed.sh check     # installs; doctor, and nlpkit bench to $OUT
#   there:  sh benchmarks/cuda_speed.sh speed sentiment sentiment-transformer      # about 9 minutes
#   there:  sh benchmarks/cuda_speed.sh batch     # processes beside each other, to 1,000,000 lines
#   there:  sh benchmarks/cuda_speed.sh speed teacher-gpu --static                 # if time is left
#
# Calls follow one another at once, for the machine goes 30 s after the last, with all that was taken.
# Results are $OUT/*.json and $OUT/*.md; tables are printed too. Name one card and keep to it: an H100
# and an H200 differ. $NLPKIT_DATA must be set here.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=/tmp/cuda
export PYTHONUNBUFFERED=1

pack() {
  cd "$here"
  exclude=$(git rev-parse --git-path info/exclude)
  grep -qx /.cuda/ "$exclude" || echo /.cuda/ >>"$exclude"
  rm -rf .cuda && mkdir -p .cuda/all/home/bundles
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
    --implementation cp --platform manylinux_2_28_x86_64 -d .cuda/all \
    "onnxruntime-gpu==$(sed -n 's/^onnxruntime-gpu==//p' constraints.txt)"
  cp -r export/sentiment .cuda/all/home/bundles
  PYTHONPATH=benchmarks python3 - "$NLPKIT_DATA" >.cuda/all/texts.txt <<'PYTHON'
import pathlib, sys
import throughput
print("\n".join(throughput.texts(pathlib.Path(sys.argv[1]), 200_000)[0]))
PYTHON
  tar cz -C .cuda/all . | split -b 58000000 - .cuda/part.
  rm -r .cuda/all
  ls -l .cuda
}

take() {
  mkdir -p "$place"
  cp -n "$here"/.cuda/part.* "$place/"
  ls -l "$place"
}

ready() {
  if [ ! -d "$place/site" ]; then
    cat "$place"/part.* | tar xz -C "$place"
    python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir \
      --target "$place/site" "$place"/*.whl
  fi
  # preload_dlls looks beside onnxruntime, and CUDA's libraries are beside torch.
  libraries=$(python3 -c 'import glob, pathlib, torch
print(":".join(glob.glob(f"{pathlib.Path(torch.__file__).parents[1]}/nvidia/*/lib")))')
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export PYTHONPATH="$place/site:$here" NLPKIT_HOME="$place/home"
}

check() {
  nvidia-smi
  python3 -m nlpkit doctor || true
  python3 -m nlpkit bench sentiment --lengths 16,32,64,128 --batches 1,8,64,512,4096 \
    --seconds 0.2 --device cuda --to json >"$OUT/bench.json"
  # One shape of each, to learn early what does not run and which nodes CUDA leaves to the CPU.
  python3 "$here/benchmarks/cuda_speed.py" sentiment sentiment-transformer sentiment-lstm \
    sentiment-atnet --device cuda --batches 64 --lengths 32 --rounds 1 --chunks 1024 --count 5000 \
    --minutes 4 --output "$OUT/check.json"
}

speed() {
  python3 "$here/benchmarks/cuda_speed.py" --device cuda --minutes 8 --texts "$place/texts.txt" \
    --output "$OUT/speed-$1.json" "$@" | tee "$OUT/speed-$1.md"
}

batch() {
  mkdir -p "$place/large" "$place/small"
  head -n 1000 "$place/texts.txt" >"$place/small/0.txt"
  for copy in 1 2 3 4 5; do cp "$place/texts.txt" "$place/large/$copy.txt"; done
  for workers in 1 2 4 8 15; do
    for size in small large; do # small is what starting costs
      rm -rf "$place/out"
      start=$(date +%s.%N)
      python3 -m nlpkit batch "$place/$size" -o "$place/out" --workers "$workers" \
        --device cuda --quiet
      echo "$workers $size $(cat "$place/$size"/*.txt | wc -l) $start $(date +%s.%N)"
    done
  done | awk '{ printf "%d workers, %s: %d lines in %.1f s\n", $1, $2, $3, $5 - $4 }' |
    tee "$OUT/batch.md"
}

case ${1:-} in
  pack | take) "$1" ;;
  check | batch) ready && "$1" ;;
  speed) shift && ready && speed "$@" ;;
  *) sed -n '2,20s/^# \{0,1\}//p' "$0" ;;
esac
