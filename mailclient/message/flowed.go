package message

import "strings"

// unflow joins the lines of format=flowed (RFC 3676): quote depth first, then space-stuffing, then the soft breaks;
// "-- " never flows. Each paragraph comes out as one line, quotes with their ">" marks.
func unflow(text string, delSp bool) string {
	var out strings.Builder
	open, depth := false, 0 // a paragraph that goes on, and its depth
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		d, rest := flowedDepth(line)
		rest = strings.TrimPrefix(rest, " ") // space-stuffing
		sig := rest == "-- "
		if open && (d != depth || sig) {
			out.WriteByte('\n')
			open = false
		}
		if !open && d > 0 {
			out.WriteString(strings.Repeat(">", d) + " ")
		}
		soft := strings.HasSuffix(rest, " ") && !sig
		if soft && delSp {
			rest = rest[:len(rest)-1]
		}
		out.WriteString(rest)
		if open, depth = soft, d; !soft {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// flowedDepth counts the ">" a line begins with; there are no spaces between them (RFC 3676 4.5).
func flowedDepth(line string) (int, string) {
	n := 0
	for n < len(line) && line[n] == '>' {
		n++
	}
	return min(n, 100), line[n:]
}
