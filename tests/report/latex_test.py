#!/usr/bin/python3
"""Tables and a figure through LaTeX: they compile, fit, and say what they should.

    latex_test.py table_probe

Debian's packages texlive-latex-base and texlive-latex-recommended have what it needs. The text is
compared where poppler-utils is installed, and lualatex tried where texlive-luatex and lmodern are.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata

# A name, and what a reader of the PDF sees of it; None: anything, if only it compiles.
NAMES = {
    r"\ { } $ & # ^ _ ~ % < > |": r"\ { } $ & # ^ _ ~ % < > |",
    "\" ' ` [ ] * -": None,
    "*star": "*star",
    "[2em] bracket": "[2em] bracket",
    "- minus": "- minus",
    "--flag a,,b": "--flag a,,b",
    "don't ''both''": None,
    r'\input{|"ls"} \write18{touch written}': r"\input{|”ls”} \write18{touch written}",
    "^^5cwrite18 %%comment #1": "^^5cwrite18 %%comment #1",
    r"\end{tabular}\end{document}": r"\end{tabular}\end{document}",
    "$x_1^2$ & {": "$x_1^2$ & {",
    "{unbalanced": "{unbalanced",
    "1 ± 2 × 3 µ 4 – 5 … 6 → ≤ ≥": "1 ± 2 × 3 µ 4 – 5 . . . 6 → ≤ ≥",
    "accents é ü ß Å ç ñ š ő ł": None,
    "letters that OT1 lacks: ð Þ ą Đ ŋ": "letters that OT1 lacks: [U+00F0] [U+00DE] [U+0105] "
                                         "[U+0110] [U+014B]",
    "模型 first": "[U+6A21][U+578B] first",
    "emoji \U0001F600 and e\u0301": "emoji [U+1F600] and e[U+0301]",
    "right to left \u202e and \u05d0": "right to left [U+202E] and [U+05D0]",
    "Ω Ж « » € ¡ ¿ \u200b \ufeff \uffff \ufdd0": None,
    "".join(map(chr, range(0xA0, 0x180))): None,
}

DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs}
\usepackage{graphicx}
\begin{document}
\begin{table}
  \caption{ordinary}
  \input{ordinary}
\end{table}
\noindent%s
\clearpage
\hbox{\tiny\input{names}}
\end{document}
"""


def compile_document(engine, folder):
    run = subprocess.run([engine, "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
                         cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if run.returncode != 0:
        sys.exit(f"{engine} failed:\n" + run.stdout.decode(errors="replace")[-2000:])


def shown(folder):
    return plain(subprocess.run(["pdftotext", "-layout", "document.pdf", "-"], cwd=folder,
                                check=True, stdout=subprocess.PIPE).stdout.decode())


def plain(text):
    """Without what depends on the font: spaces, accents on nothing, and the underscore, which is a
    line in LaTeX's first encoding."""
    for glyph, character in [("\u02c6", "^"), ("\u02dc", "~"), ("\u2019", "'"), ("_", "")]:
        text = text.replace(glyph, character)
    return "".join(unicodedata.normalize("NFKC", text).split())


def has(file):
    return subprocess.run(["kpsewhich", file], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0


def main():
    if not shutil.which("pdflatex"):
        print("skipped: no pdflatex (Debian: texlive-latex-base, texlive-latex-recommended)")
        sys.exit(77)
    if not has("booktabs.sty"):
        print("skipped: no booktabs.sty (Debian: texlive-latex-recommended)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], input="\n".join(NAMES).encode() + b"\n\xff\n",
                       check=True)
        has_figure = os.path.exists(os.path.join(folder, "figure.pdf"))
        figure = r"\includegraphics[width=\linewidth]{figure.pdf}" if has_figure else ""
        with open(os.path.join(folder, "document.tex"), "w", encoding="utf-8") as document:
            document.write(DOCUMENT % figure)

        compile_document("pdflatex", folder)
        with open(os.path.join(folder, "document.log"), encoding="latin-1") as log:
            for line in log:
                assert not line.startswith(("Overfull", "Missing character")), line
        assert not os.path.exists(os.path.join(folder, "written"))
        if shutil.which("pdftotext"):
            text = shown(folder)
            for name, seen in NAMES.items():
                if seen is not None:
                    assert plain(seen) in text, f"{name} is not shown as {seen}:\n{text}"
            for seen in ["alexnet_two_towers", "61.10 M", "233 MiB", "12.5", "−1.25", "[U+FFFD]",
                         "100 % ± 1 [U+6A21]"]:
                assert plain(seen) in text, f"{seen} is not in\n{text}"
        if shutil.which("lualatex") and has("lmroman10-regular.otf"):
            compile_document("lualatex", folder)


main()
