#!/bin/sh
# Take the pictures of pages in docs/: sh docs/screenshots.sh (needs nlpkit and Chromium).
set -e
cd "$(dirname "$0")/.."
made=$(mktemp -d)
shoot() { # PAGE PICTURE WIDTH HEIGHT
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$3,$4" \
    --screenshot="docs/$2" "file://$1" >"$made/log" 2>&1
}
nlpkit report examples/shop.csv --column review --date date --by store --title "Avaliações da loja" \
  -o "$made/report.html"
shoot "$made/report.html" report.png 1000 1500
head -8 examples/reviews.csv | nlpkit explain --from csv --column review --to html > "$made/explain.html"
shoot "$made/explain.html" explain.png 800 700
echo 'The old dog sleeps under the table.' | nlpkit explain -m translate-en-pt --matrix docs/attention-translation.svg
echo 'A entrega demorou, mas o produto é ótimo.' | nlpkit explain -m sentiment-atnet --matrix docs/attention-atnet.svg
