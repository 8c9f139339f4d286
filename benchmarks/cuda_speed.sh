#!/bin/sh
# Run cuda_speed.py and `nlpkit batch` on a GPU machine without network ("there").
#
# Its python3 has torch, tokenizers, onnx, onnxscript, safetensors, typer and rich, and an onnxruntime
# without CUDA. onnxruntime-gpu (330 MB, 210 packed) is carried there in parts, since one call carries
# at most 64 MiB, working tree included; the tree with its .onnx files is larger than that.
#
#   here:   sh benchmarks/cuda_speed.sh try       # all of the below, small, on this machine's CPU
#   here:   sh benchmarks/cuda_speed.sh pack      # runtime, texts, a bundle: .cuda/part.* (four or five)
#   here:   git sparse-checkout set --no-cone '/*' '!/export/*/*.onnx'    # afterwards: disable
#   there:  sh benchmarks/cuda_speed.sh take      # once for each part .cuda/part.XX, carried along
#   there:  sh benchmarks/cuda_speed.sh check     # doctor, nlpkit bench, one shape of each network
#   there:  sh benchmarks/cuda_speed.sh speed sentiment sentiment-transformer --minutes 4
#   there:  sh benchmarks/cuda_speed.sh batch     # several processes, up to 1,000,000 lines
#   there:  sh benchmarks/cuda_speed.sh speed sentiment-best --minutes 2 \
#             --tokenizer export/sentiment-best/tokenizer.json                    # if time is left
#
# The calls fit into 15 minutes, 10 for one call, with starts and transfers; the last take can go with
# check in one call. Make them without pause: an idle machine may be taken back, with its files.
# Results are $OUT/*.json and $OUT/*.md; tables are printed too. Use one kind of card for all calls,
# since an H100 and an H200 differ. $NLPKIT_DATA must be set here.
# $DEVICE (cuda), $PYTHON (python3) and $PLACE (/tmp/cuda) override the defaults in brackets.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
device=${DEVICE:-cuda}
python=${PYTHON:-python3}
place=${PLACE:-/tmp/cuda}
export PYTHONUNBUFFERED=1

pack() { # number of texts, version of Python there, level of compression
  cd "$here"
  exclude=$(git rev-parse --git-path info/exclude)
  grep -qx /.cuda/ "$exclude" || echo /.cuda/ >>"$exclude"
  rm -rf .cuda && mkdir -p .cuda/all/home/bundles
  "$python" -m pip install -q --no-deps --no-compile --only-binary=:all: --python-version "${2:-3.12}" \
    --implementation cp --platform manylinux_2_28_x86_64 --target .cuda/all/site \
    "onnxruntime-gpu==$(sed -n 's/^onnxruntime-gpu==//p' constraints.txt)"
  cp -r export/sentiment .cuda/all/home/bundles
  PYTHONPATH=benchmarks "$python" - "$NLPKIT_DATA" "${1:-200000}" >.cuda/all/texts.txt <<'PYTHON'
import pathlib, sys
import throughput
print("\n".join(throughput.texts(pathlib.Path(sys.argv[1]), int(sys.argv[2]))[0]))
PYTHON
  tar c -C .cuda/all . | xz "-${3:-3}" -T0 | split -b 60000000 - .cuda/part.
  rm -r .cuda/all
  ls -l .cuda
}

take() {
  mkdir -p "$place"
  cp -n "$here"/.cuda/part.* "$place/"
  ls -l "$place"
}

ready() {
  if [ ! -d "$place/all" ]; then
    rm -rf "$place/new" && mkdir "$place/new"
    cat "$place"/part.* | xz -d | tar x -C "$place/new"
    mv "$place/new" "$place/all"
  fi
  # onnxruntime's preload_dlls searches beside onnxruntime, but CUDA's libraries are beside torch.
  libraries=$("$python" -c 'import glob, pathlib, torch
print(":".join(glob.glob(f"{pathlib.Path(torch.__file__).parents[1]}/nvidia/*/lib")))')
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export PYTHONPATH="$place/all/site:$here" NLPKIT_HOME="$place/all/home"
}

check() { # more options of cuda_speed.py
  nvidia-smi || echo "no nvidia-smi"
  "$python" -m nlpkit doctor || echo "doctor: $?"
  "$python" -m nlpkit bench sentiment --lengths 16,32,64,128 --batches 1,8,64,512,4096 \
    --seconds 0.05 --device "$device" --to json >"$OUT/bench.json" || echo "bench: $?"
  # One shape of each network, to see early which fail and which nodes run on the CPU.
  "$python" "$here/benchmarks/cuda_speed.py" sentiment sentiment-transformer sentiment-lstm \
    sentiment-atnet --device "$device" --batches 64 --lengths 32 --rounds 1 --without compile \
    --chunks 1024 --count 5000 --minutes 3 --output "$OUT/check.json" "$@"
}

speed() { # a model, then more models or options of cuda_speed.py
  name=$(basename "$1")
  {
    "$python" "$here/benchmarks/cuda_speed.py" --device "$device" --minutes 8 \
      --texts "$place/all/texts.txt" --output "$OUT/speed-$name.json" "$@" || echo "speed: $?"
  } | tee "$OUT/speed-$name.md"
}

batch() { # numbers of workers
  texts=$place/all/texts.txt
  mkdir -p "$place/large" "$place/small"
  head -n 1000 "$texts" >"$place/small/0.txt"
  for copy in 1 2 3 4 5; do cp "$texts" "$place/large/$copy.txt"; done
  for workers in ${*:-1 2 4 8 15}; do
    for size in small large; do # small measures the start-up
      rm -rf "$place/out"
      start=$(date +%s.%N)
      "$python" -m nlpkit batch "$place/$size" -o "$place/out" --workers "$workers" \
        --device "$device" --quiet || echo "batch: $?" >&2
      echo "$workers $size $(cat "$place/$size"/*.txt | wc -l) $start $(date +%s.%N)"
    done
  done | awk '{ printf "%d workers, %s: %d lines in %.1f s\n", $1, $2, $3, $5 - $4 }' |
    tee "$OUT/batch.md"
}

try() {
  device=cpu place=$(mktemp -d) small="--count 500 --chunks 1024"
  small="$small --batches 4 --lengths 16 --rounds 1 --seconds 0.01"
  export OUT="$place/results"
  trap 'rm -rf "$place" "$here/.cuda"' EXIT
  mkdir "$OUT"
  (pack 3000 "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" 0)
  take
  rm -r "$here/.cuda"
  ready
  check $small
  speed sentiment sentiment-atnet --static $small
  batch 1 2
  ls -l "$OUT"
}

case ${1:-} in
  pack) shift; pack "$@" ;;
  take | try) "$1" ;;
  check | speed | batch) what=$1; shift; ready; "$what" "$@" ;;
  *) sed -n '2,23s/^# \{0,1\}//p' "$0" ;;
esac
