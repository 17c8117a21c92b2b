/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * list.h: an intrusive, circular, doubly linked list.
 *
 * The head is an ordinary `struct nslab_list` that points to itself when the list is empty. Nothing
 * here locks; the owner of the head says who may touch it.
 */
#ifndef NSLAB_CORE_LIST_H
#define NSLAB_CORE_LIST_H

#include <numaslab/types.h>

static inline void nslab_list_init(struct nslab_list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool nslab_list_is_empty(const struct nslab_list *head)
{
	return head->next == head;
}

static inline void nslab_list_insert(struct nslab_list *entry, struct nslab_list *prev,
				     struct nslab_list *next)
{
	next->prev = entry;
	entry->next = next;
	entry->prev = prev;
	prev->next = entry;
}

static inline void nslab_list_add(struct nslab_list *entry, struct nslab_list *head)
{
	nslab_list_insert(entry, head, head->next);
}

static inline void nslab_list_add_tail(struct nslab_list *entry, struct nslab_list *head)
{
	nslab_list_insert(entry, head->prev, head);
}

/* The entry becomes an empty list of its own, so that deleting it twice is harmless. */
static inline void nslab_list_del(struct nslab_list *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	nslab_list_init(entry);
}

/* Moves all of `from` to the tail of `to`; `from` is empty afterwards. */
static inline void nslab_list_splice_tail(struct nslab_list *from, struct nslab_list *to)
{
	if (nslab_list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	nslab_list_init(from);
}

#define nslab_list_entry(ptr, type, member)  nslab_container_of(ptr, type, member)
#define nslab_list_first(head, type, member) nslab_list_entry((head)->next, type, member)

#define nslab_list_for_each(pos, head)                                                             \
 for (struct nslab_list *pos = (head)->next; pos != (head); pos = pos->next)

/* The body may delete `pos`. */
#define nslab_list_for_each_safe(pos, tmp, head)                                                   \
 for (struct nslab_list *pos = (head)->next, *tmp = pos->next; pos != (head);                      \
      pos = tmp, tmp = pos->next)

#endif
