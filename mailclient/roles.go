package mailclient

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// roleNames are what programs and people call their mailboxes, by role, in many languages (PROTOCOLS M12).
var roleNames = []struct {
	role  Role
	names string
}{
	{RoleSent, `sent, sent items, sent messages, sent mail, sent-mail, gesendet, gesendete objekte, gesendete elemente,
		gesendete nachrichten, envoyés, éléments envoyés, messages envoyés, enviados, elementos enviados,
		mensajes enviados, correo enviado, itens enviados, mensagens enviadas, inviata, posta inviata, inviati,
		elementi inviati, verzonden, verzonden items, verzonden berichten, skickat, skickade, skickade objekt, sendt,
		sendte elementer, sendt post, lähetetyt, wysłane, elementy wysłane, odeslané, odeslaná pošta, odoslané,
		elküldött, elküldöttek, elküldött elemek, trimise, elemente trimise, отправленные, исходящие, надіслані,
		изпратени, poslano, poslane poruke, išsiųsta, nosūtītie, saadetud, gönderilmiş öğeler, gönderilenler,
		απεσταλμένα, נשלחו, דואר יוצא, المرسلة, البريد المرسل, 送信済み, 送信済みアイテム, 已发送, 已發送, 已发邮件, 寄件備份, 寄件備份匣, 보낸편지함,
		보낸 편지함, đã gửi, terkirim, ส่งแล้ว`},
	{RoleDrafts, `drafts, draft, entwürfe, brouillons, borradores, rascunhos, bozze, concepten, utkast, kladder, luonnokset,
		kopie robocze, szkice, wersje robocze, koncepty, rozepsané, piszkozatok, ciorne, черновики, чернетки, чернови,
		osnutki, skice, juodraščiai, melnraksti, mustandid, taslaklar, πρόχειρα, טיוטות, المسودات, 下書き, 草稿, 草稿箱, 草稿匣,
		임시보관함, 임시 보관함, thư nháp, bản nháp, draf, konsep`},
	{RoleTrash, `trash, bin, deleted, deleted items, deleted messages, papierkorb, gelöscht, gelöschte objekte,
		gelöschte elemente, corbeille, éléments supprimés, messages supprimés, papelera, elementos eliminados, lixeira,
		lixo, itens excluídos, itens eliminados, cestino, posta eliminata, elementi eliminati, prullenbak, prullenmand,
		verwijderde items, papperskorg, papperskorgen, borttaget, papirkurv, slettede elementer, slettet post, søppel,
		søppelkurv, roskakori, poistetut, kosz, elementy usunięte, koš, odstraněná pošta, kôš, kuka, lomtár,
		törölt elemek, coș de gunoi, elemente șterse, корзина, удаленные, удалённые, кошик, видалені, кошче, smeće,
		šiukšliadėžė, ištrinta, atkritne, prügikast, çöp kutusu, silinmiş öğeler, κάδος, απορρίμματα, διαγραμμένα,
		אשפה, פריטים שנמחקו, المهملات, العناصر المحذوفة, ごみ箱, ゴミ箱, 削除済みアイテム, 已删除, 已删除邮件, 垃圾桶, 刪除的郵件, 휴지통, 지운 편지함,
		thùng rác, sampah, ถังขยะ`},
	{RoleJunk, `junk, junk e-mail, junk email, junk mail, spam, bulk, bulk mail, unerwünscht, spamverdacht, unbekannt,
		courrier indésirable, indésirables, pourriel, correo no deseado, no deseado, lixo eletrônico, lixo electrónico,
		posta indesiderata, ongewenste e-mail, ongewenst, skräppost, søppelpost, uønsket post, uønsket e-post,
		uønsket mail, roskaposti, wiadomości-śmieci, niechciane, nevyžádaná pošta, nevyžiadaná pošta, levélszemét,
		нежелательная почта, спам, небажана пошта, нежелана поща, neželena pošta, önemsiz, istenmeyen, ανεπιθύμητα,
		ανεπιθύμητη αλληλογραφία, דואר זבל, בלתי רצוי, البريد العشوائي, غير هام, 迷惑メール, 垃圾邮件, 垃圾郵件, 스팸, 스팸메일함, 정크 메일,
		thư rác, สแปม`},
	{RoleArchive, `archive, archives, archiv, archivio, archivo, arquivo, archief, arkiv, arkisto, archiwum, archívum, arhivă,
		arhiva, архив, архів, arşiv, αρχείο, ארכיון, الأرشيف, アーカイブ, 归档, 存档, 封存, 보관함, 보관, lưu trữ`},
}

var rolesByName = func() map[string][]Role {
	m := map[string][]Role{}
	for _, r := range roleNames {
		for _, n := range strings.Split(r.names, ",") {
			n = foldName(n)
			if !slices.Contains(m[n], r.role) {
				m[n] = append(m[n], r.role)
			}
		}
	}
	return m
}()

func foldName(s string) string { return strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))) }

var rolesByAttribute = map[string]Role{
	`\inbox`: RoleInbox, `\drafts`: RoleDrafts, `\sent`: RoleSent, `\junk`: RoleJunk, `\spam`: RoleJunk, `\trash`: RoleTrash,
	`\archive`: RoleArchive, `\all`: RoleAll, `\allmail`: RoleAll, `\flagged`: RoleFlagged, `\starred`: RoleFlagged,
}

var roleRank = []Role{RoleInbox, RoleDrafts, RoleSent, RoleArchive, RoleJunk, RoleTrash, RoleAll, RoleFlagged}

func roleOrder(r Role) int {
	if i := slices.Index(roleRank, r); i >= 0 {
		return i
	}
	return len(roleRank)
}

// roles gives each role to at most one mailbox: by attribute, then by name (M11).
func (g *gathering) roles() {
	taken := map[Role]string{}
	give := func(role Role, raw string) {
		if have, ok := taken[role]; ok {
			a, b := g.boxes[have], g.boxes[raw]
			if a.Subscribed && !b.Subscribed || a.Subscribed == b.Subscribed && len(have) <= len(raw) {
				return
			}
			g.boxes[have].Role = RoleNone
		}
		taken[role] = raw
		g.boxes[raw].Role = role
	}
	give(RoleInbox, "INBOX")
	for _, raw := range g.order {
		for attr := range g.attrs[raw] {
			if role, ok := rolesByAttribute[attr]; ok && g.boxes[raw].Role == RoleNone && g.boxes[raw].Selectable && role != RoleInbox {
				give(role, raw)
			}
		}
	}
	byAttribute := map[Role]bool{}
	for role := range taken {
		byAttribute[role] = true
	}
	for _, raw := range g.order {
		b := g.boxes[raw]
		if b.Role != RoleNone || b.Shared || !b.Selectable {
			continue
		}
		name := strings.TrimPrefix(b.Name, b.Prefix)
		if b.Delimiter != "" {
			name = strings.TrimPrefix(name, "INBOX"+b.Delimiter)
			if strings.Contains(name, b.Delimiter) {
				continue
			}
		}
		var open []Role
		claims := rolesByName[foldName(name)]
		for _, role := range claims {
			if !byAttribute[role] {
				open = append(open, role)
			}
		}
		if len(open) == len(claims) && len(open) > 0 {
			give(open[0], raw)
		}
	}
}
