"""A prediction as one HTML page without any other file: totals, a waterfall of the sources, layers with bars."""

from __future__ import annotations

from html import escape
from typing import IO

from dfopt.predict.growth import Growth, Overrun
from dfopt.predict.model import Estimate, LayerPrediction, Part, Prediction, StagePrediction
from dfopt.predict.shares import shared_with_base, sources_of, zstd_of, zstd_total
from dfopt.report.growth import growth_text, overrun_text, signed_size
from dfopt.report.prediction import interval_text, reason_text, size_text

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --dim: #667; --line: #d8dce2; --card: #f6f7f9; --page: #fff;
  --exact: #2da44e; --high: #2da44e; --medium: #bf8700; --low: #d4620f; --unknown: #cf222e; --base: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #98a0aa; --line: #3a4048; --card: #1d2127;
  --page: #14171b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .5rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; } th { color: var(--dim); font-weight: 500; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: .86em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; } .card { background: var(--card); border-radius: .5rem;
  padding: .6rem 1rem; } .card b { display: block; font-size: 1.3rem; } .dim { color: var(--dim); font-size: .9em; }
.bar { position: relative; height: .8rem; min-width: 9rem; background: var(--card); margin-top: .35rem; }
.bar i, .bar s { position: absolute; top: 0; bottom: 0; display: block; } .bar s { opacity: .3; }
.over { border-left: .3rem solid var(--low); padding: .3rem .8rem; margin: .5rem 0; background: var(--card); }
.over.sure { border-color: var(--unknown); }
tr.empty { color: var(--dim); } details { margin-top: .2rem; } summary { cursor: pointer; color: var(--dim); }
"""


def write_html(
    prediction: Prediction,
    stream: IO[str],
    name: str,
    *,
    growth: Growth | None = None,
    overruns: tuple[Overrun, ...] = (),
    against: str = "",
) -> None:
    """Write the page; the image first, then the other stages."""
    stream.write(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}: predicted image size</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        f"<h1>{escape(name)}: predicted image size</h1>\n"
    )
    image = prediction.image
    for overrun in overruns:
        stream.write(f'<p class="over{" sure" if overrun.sure else ""}">{escape(overrun_text(overrun))}</p>\n')
    if growth is not None:
        where = f' <span class="dim">against {escape(against)}</span>' if against else ""
        stream.write(f"<p><b>{escape(growth_text(growth))}</b>{where}</p>\n")
    if image is None:
        stream.write("<p>The file makes no image.</p>\n")
    else:
        _cards(stream, image)
        _waterfall(stream, image)
        if growth is not None:
            _changes(stream, growth)
        stream.write("<h2>Layers</h2>\n")
        _layers(stream, image)
    for stage in prediction.stages:
        if stage is not image:
            stream.write(
                f"<h2>Stage {escape(stage.name or str(stage.stage))} "
                f'<span class="dim">{escape(_size(stage.total))}, not in the image</span></h2>\n'
            )
            _layers(stream, stage)
    notes = list(prediction.notes)
    for stage in prediction.stages:
        notes += [layer.note for layer in stage.layers if layer.note]
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in dict.fromkeys(notes))
        stream.write(f"<h2>Notes</h2>\n<ul>{items}</ul>\n")
    stream.write("</body></html>\n")


def _size(size: Estimate) -> str:
    return f"{size_text(size.value)} ({interval_text(size)})"


def _cards(stream: IO[str], image: StagePrediction) -> None:
    base, packed = shared_with_base(image)
    zstd = zstd_total(image)
    cards = [
        ("on disk", image.total), ("to pull, gzip", image.compressed), ("to pull, zstd", zstd),
        ("on disk, shared with the base", base), ("to pull, shared with the base", packed),
    ]  # fmt: skip
    stream.write('<div class="cards">')
    for label, size in cards:
        stream.write(
            f'<div class="card"><b>{size_text(size.value)}</b>{label}'
            f'<div class="dim">{escape(interval_text(size))}</div></div>'
        )
    stream.write("</div>\n")


def _waterfall(stream: IO[str], image: StagePrediction) -> None:
    """Draw where the bytes come from: every bar begins where the one above it ends."""
    whole = image.total.value
    sources = sources_of(image)
    if whole <= 0 or not sources:
        return
    stream.write("<h2>Where the bytes come from</h2>\n<table>\n")
    start = 0.0
    for source in sources:
        value = source.size.value
        colour = "var(--base)" if source.kind == "base" else _colour(source.size)
        bar = _bar(start / whole, value / whole, 0, colour)
        stream.write(
            f'<tr><td>{escape(source.label)}</td><td class="n">{size_text(value)}</td>'
            f'<td class="n">{value / whole:.1%}</td><td style="width:60%">{bar}</td></tr>\n'
        )
        start += value
    stream.write("</table>\n")


def _changes(stream: IO[str], growth: Growth) -> None:
    rows = [row for row in growth.rows if abs(row.difference.value) >= 1 or row.difference.high >= 1]
    if not rows:
        return
    stream.write(
        '<h2>Changes</h2>\n<table><tr><th>layer</th><th class="n">before</th><th class="n">after</th>'
        '<th class="n">change</th></tr>\n'
    )
    for row in rows:
        layer = row.after or row.before
        text = escape(layer.instruction if layer is not None else "")
        cells = "".join(
            f'<td class="n">{size_text(one.size.value) if one is not None else ""}</td>'
            for one in (row.before, row.after)
        )
        stream.write(
            f'<tr><td><code>{text}</code></td>{cells}<td class="n">{signed_size(row.difference.value)}</td></tr>\n'
        )
    stream.write("</table>\n")


def _layers(stream: IO[str], stage: StagePrediction) -> None:
    largest = max((layer.size.high for layer in stage.layers if layer.confidence != "unknown"), default=0.0)
    largest = max(largest, max((layer.size.value for layer in stage.layers), default=0.0))
    stream.write(
        '<table><tr><th>instruction</th><th class="n">size</th><th class="n">interval</th><th></th>'
        '<th class="n">gzip</th><th class="n">zstd</th><th>from</th></tr>\n'
    )
    for layer in stage.layers:
        stream.write(_layer(layer, largest))
    stream.write(
        f"<tr><td><b>all layers</b></td>"
        f'<td class="n"><b>{size_text(stage.total.value)}</b></td>'
        f'<td class="n">{escape(interval_text(stage.total))}</td><td></td>'
        f'<td class="n">{size_text(stage.compressed.value)}</td>'
        f'<td class="n">{size_text(zstd_total(stage).value)}</td><td></td></tr>\n</table>\n'
    )


def _layer(layer: LayerPrediction, largest: float) -> str:
    text = f"<code>{escape(layer.instruction)}</code>"
    if layer.empty:
        return f'<tr class="empty"><td>{text}</td><td class="n">–</td><td colspan="5"></td></tr>\n'
    if len(layer.parts) > 1:
        items = "".join(f"<tr>{_part(part)}</tr>" for part in layer.parts)
        text += f"<details><summary>{len(layer.parts)} parts</summary><table>{items}</table></details>"
    bar = ""
    if largest > 0:
        value = layer.size.value / largest
        bar = _bar(0, value, layer.size.high / largest - value, f"var(--{layer.confidence})")
    hidden = f"; {size_text(layer.wasted.value)} hidden by later layers" if layer.wasted.value >= 1 else ""
    return (
        f'<tr><td style="width:38%">{text}</td><td class="n">{size_text(layer.size.value)}</td>'
        f'<td class="n">{escape(interval_text(layer.size))}</td><td>{bar}</td>'
        f'<td class="n">{size_text(layer.compressed.value)}</td><td class="n">{size_text(zstd_of(layer).value)}</td>'
        f'<td class="dim">{escape(reason_text(layer) + hidden)}</td></tr>\n'
    )


def _part(part: Part) -> str:
    return (
        f'<td>{escape(part.label)}</td><td class="n">{size_text(part.estimate.value)}</td>'
        f'<td class="n">{escape(interval_text(part.estimate))}</td><td class="dim">{escape(part.source)}</td>'
    )


def _bar(start: float, length: float, more: float, colour: str) -> str:
    """Draw a bar from shares of the width; ``more`` is how far the interval reaches beyond it."""
    left, wide = min(start, 1.0), max(0.0, min(length, 1.0 - start))
    open_share = max(0.0, min(more, 1.0 - left - wide))
    drawn = f'<i style="left:{left:.2%};width:{wide:.2%};background:{colour}"></i>'
    if open_share > 0.002:
        drawn += f'<s style="left:{left + wide:.2%};width:{open_share:.2%};background:{colour}"></s>'
    return f'<div class="bar">{drawn}</div>'


def _colour(size: Estimate) -> str:
    share = (size.high - size.low) / size.value if size.value else 9.0
    name = "exact" if share <= 0.1 else "medium" if share <= 0.5 else "low" if share <= 4 else "unknown"
    return f"var(--{name})"
