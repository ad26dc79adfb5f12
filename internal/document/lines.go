package document

import (
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// lines says on which line of a document a table or a key stands, by its path: domain[0].imap. The TOML library tells
// that of syntax alone.
type lines map[string]int

// below is the path of a key in a table.
func below(table, key string) string {
	key = toml.Key{key}.String()
	if table == "" {
		return key
	}
	return table + "." + key
}

// nth is the path of a table in a list of them.
func nth(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// of is the line of a path, else of what it stands in; 0 where that is the document.
func (l lines) of(path string) int {
	for path != "" {
		if n, ok := l[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// linesOf finds the lines of a document that TOML has taken. Of what is written in braces, it knows the beginning.
func linesOf(text string) lines {
	out, lists, table, ends := lines{}, map[string]int{}, "", ""
	for i, line := range strings.Split(text, "\n") {
		if ends != "" { // a text of several lines
			if strings.Contains(line, ends) {
				ends = ""
			}
			continue
		}
		line = strings.TrimSpace(line)
		head, list := strings.CutPrefix(line, "[[")
		if !list {
			var is bool
			if head, is = strings.CutPrefix(line, "["); !is {
				keys, value := keysOf(line)
				if path := join(table, keys, lists); len(keys) > 0 && strings.HasPrefix(value, "=") {
					out.note(path, i+1)
				}
				ends = opened(value)
				continue
			}
		}
		keys, _ := keysOf(head)
		table = join("", keys, lists)
		if list {
			table = join("", keys[:max(0, len(keys)-1)], lists)
			if len(keys) > 0 {
				table = below(table, keys[len(keys)-1])
			}
			lists[table]++
			table = nth(table, lists[table]-1)
		}
		out.note(table, i+1)
	}
	return out
}

// note keeps the first line of a path.
func (l lines) note(path string, line int) {
	if _, ok := l[path]; !ok {
		l[path] = line
	}
}

// join is the path of keys from a table on; a list stands for its last one.
func join(path string, keys []string, lists map[string]int) string {
	for _, k := range keys {
		path = below(path, k)
		if n := lists[path]; n > 0 {
			path = nth(path, n-1)
		}
	}
	return path
}

// opened is what ends a text of several lines that begins in a value, "" if none does or it ends at once.
func opened(value string) string {
	value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	for _, mark := range []string{`"""`, `'''`} {
		if rest, ok := strings.CutPrefix(value, mark); ok && !strings.Contains(rest, mark) {
			return mark
		}
	}
	return ""
}

// maxKeys is how many parts of a key are looked at: more than anything here has.
const maxKeys = 8

// keysOf are the parts of a key with dots, and what follows it.
func keysOf(s string) (keys []string, rest string) {
	for len(keys) < maxKeys {
		s = strings.TrimLeft(s, " \t")
		var key string
		switch {
		case strings.HasPrefix(s, `'`):
			var ok bool
			if key, s, ok = strings.Cut(s[1:], `'`); !ok {
				return keys, s
			}
		case strings.HasPrefix(s, `"`):
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return keys, s
			}
			key, _ = strconv.Unquote(quoted)
			s = s[len(quoted):]
		default:
			end := strings.IndexFunc(s, func(r rune) bool {
				return !(r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
			})
			if end < 0 {
				end = len(s)
			}
			if end == 0 {
				return keys, s
			}
			key, s = s[:end], s[end:]
		}
		keys = append(keys, key)
		s = strings.TrimLeft(s, " \t")
		var more bool
		if s, more = strings.CutPrefix(s, "."); !more {
			return keys, s
		}
	}
	return keys, s
}
