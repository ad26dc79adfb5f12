package tokens

import "time"

// Due makes an access token one that is to be replaced by now, though it holds.
func Due(k *Keeper, id int64) {
	h := k.recall(id)
	h.until = time.Now()
	k.remember(id, h)
}
