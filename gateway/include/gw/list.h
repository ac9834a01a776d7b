/* Intrusive doubly linked list. A head points to itself when empty; an unlinked node too after gw_list_init. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gw/compiler.h"

struct gw_list {
	struct gw_list *prev, *next;
};

static inline void gw_list_init(struct gw_list *l)
{
	l->prev = l->next = l;
}

static inline bool gw_list_empty(const struct gw_list *l)
{
	return l->next == l;
}

static inline void gw_list_append(struct gw_list *head, struct gw_list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

/* Idempotent: removing an unlinked (initialised) node does nothing. */
static inline void gw_list_remove(struct gw_list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	gw_list_init(n);
}

#define gw_list_for(pos, head)                                                                     \
	for (struct gw_list *pos = (head)->next; pos != (head); pos = pos->next)
/* Safe when the body removes pos. */
#define gw_list_for_safe(pos, head)                                                                \
	for (struct gw_list *pos = (head)->next, *pos##_next = pos->next; pos != (head);           \
	     pos = pos##_next, pos##_next = pos->next)
