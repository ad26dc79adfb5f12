package mailclient

// bounded is a map that forgets what came first when it is full. Its zero value is empty.
type bounded[K comparable, V any] struct {
	values map[K]V
	order  []K // the oldest first
}

func (b *bounded[K, V]) get(k K) (V, bool) {
	v, ok := b.values[k]
	return v, ok
}

// put keeps a value, and at most so many.
func (b *bounded[K, V]) put(k K, v V, most int) {
	if b.values == nil {
		b.values = map[K]V{}
	}
	if _, ok := b.values[k]; !ok {
		b.order = append(b.order, k)
		if len(b.order) > most {
			delete(b.values, b.order[0])
			b.order = b.order[1:]
		}
	}
	b.values[k] = v
}
