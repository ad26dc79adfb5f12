package compose

import (
	"strings"
	"unicode/utf8"
)

const flowAt = 72 // characters a line, at most, where there is a space to break it

// Flowed writes plain text as format=flowed (RFC 3676): long lines are broken behind a space, which a reader takes for no
// end of a line; quotes keep their marks on each piece.
func Flowed(s string) string {
	var b strings.Builder
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
	for i, line := range lines {
		if i == len(lines)-1 && line == "" {
			break
		}
		marks, text := quoteMarks(line)
		if text != "-- " { // the line above a signature
			text = strings.TrimRight(text, " ")
		}
		lead := strings.Repeat(">", marks)
		if marks > 0 {
			lead += " "
		}
		for {
			piece, rest := text, ""
			if marks < flowAt/2 {
				piece, rest = flowPiece(text, flowAt-marks)
			}
			if marks == 0 && (strings.HasPrefix(piece, " ") || strings.HasPrefix(piece, ">") || strings.HasPrefix(piece, "From ")) {
				piece = " " + piece // stuffed: a reader takes the space off
			}
			if piece == "" && marks > 0 {
				b.WriteString(strings.TrimRight(lead, " ") + "\n")
			} else {
				b.WriteString(lead + piece + "\n")
			}
			if rest == "" {
				break
			}
			text = rest
		}
	}
	return b.String()
}

// quoteMarks cuts the marks of a quote, "> > " or ">> ", off a line.
func quoteMarks(line string) (n int, text string) {
	for strings.HasPrefix(line, ">") {
		n++
		if line = line[1:]; strings.HasPrefix(line, " >") {
			line = line[1:]
		}
	}
	if n > 0 {
		line = strings.TrimPrefix(line, " ")
	}
	return n, line
}

// flowPiece cuts what fits into a line, with the space at its end, off a text. A word that is longer stays whole.
func flowPiece(text string, width int) (piece, rest string) {
	if len(text) <= width+4 || len(text) < 4*(width+4) && utf8.RuneCountInString(text) <= width+4 { // a few more break nothing
		return text, ""
	}
	n, cut, word := 0, 0, false
	for i, r := range text {
		word = word || r != ' '
		if r == ' ' && word && text[i+1:] != "" && text[i+1] != ' ' {
			if cut = i + 1; n >= width {
				break
			}
		}
		if n++; n > width && cut > 0 {
			break
		}
	}
	if cut == 0 {
		return text, ""
	}
	return text[:cut], text[cut:]
}
