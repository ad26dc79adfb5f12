package handlers

import (
	"context"
	"testing"
)

func TestRequestsOfOnePersonWaitForTheirTurn(t *testing.T) {
	const anna, ben = 1, 2
	c := newCrowd[int64](2)
	enter := func(person int64) func() {
		t.Helper()
		leave, err := c.enter(t.Context(), person)
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
	first, second := enter(anna), enter(anna)
	third := make(chan func(), 1)
	go func() {
		if leave, err := c.enter(context.Background(), anna); err == nil {
			third <- leave
		}
	}()
	enter(ben)() // is not held up
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.enter(gone, anna); err == nil {
		t.Error("a request that has gone away got a turn")
	}
	select {
	case <-third:
		t.Error("a third got in beside two")
	default:
	}
	first()
	(<-third)()
	second()
	if len(c.each) != 0 {
		t.Errorf("%d people are remembered", len(c.each))
	}
}
