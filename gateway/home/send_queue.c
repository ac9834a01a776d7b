#include "home/send_queue.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/command.h"
#include "home/journey.h"
#include "home/registry.h"

#define REPLY_MS       5000
#define FLIGHT_MS      30000
#define ASK_EXPIRES_MS 10000
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define WOKEN	       0x100 /* beside the occasions for asks: waiting commands may go */
#define MISSED_OFFLINE 2     /* "no answer to two polls in a row" (§5) */

struct gw_job {
	struct gw_list link;
	struct gw_outgoing out;
	size_t next;	     /* message to send next */
	int32_t ask;	     /* the message that is asked for, or -1: a write */
	bool begun;	     /* its first message was given to the adapter */
	bool urgent;	     /* does not wait for a device that is away */
	enum gw_status last; /* why the last try failed */
	uint64_t cause;
	int64_t expires_ms;
	gw_job_done *done; /* NULL: nobody waits */
	void *ctx;
};

static struct gw_deadlines *deadlines(const struct gw_route *r)
{
	return r->device->gateway->deadlines;
}

static struct gw_plan *plan_of(const struct gw_route *r)
{
	return gw_binding_plan(r->device->binding);
}

static struct gw_poll *find_poll(struct gw_queue *q, int32_t msg)
{
	for (size_t i = 0; i < q->n_polls; i++) {
		if (q->polls[i].msg == msg) {
			return &q->polls[i];
		}
	}
	return NULL;
}

/* The message whose arrival answers this one, sent as an ask or as a write; -1: none. */
static int32_t answer_of(const struct gw_msg_info *m, uint16_t msg, bool ask)
{
	return m->reply >= 0 ? m->reply : ask && m->get ? msg : -1;
}

/* A message that can be sent as a question: a request path, or a fixed body with a reply. What carries points is a command. */
static bool is_question(const struct gw_msg_info *m)
{
	return m->asks && (m->get || m->has_body);
}

static void free_job(struct gw_job *job)
{
	gw_list_remove(&job->link);
	gw_outgoing_fini(&job->out);
	gw_free(job);
}

/* --- polls --- */

/* An ask is over, answered or not: the next one comes after `every`, give or take 5 %. */
static void poll_over(struct gw_route *r, int32_t msg)
{
	struct gw_poll *p = find_poll(&r->queue, msg);
	const struct gw_msg_info *m = gw_plan_msg(plan_of(r), (size_t)msg);

	if (!p) {
		return;
	}
	p->queued = false;
	p->next_ms = INT64_MAX;
	if (m->every_ms > 0 && !gw_plan_link(plan_of(r))->sleepy) {
		uint32_t tenth = (uint32_t)(m->every_ms / 10);
		p->next_ms = gw_clock_ms() + m->every_ms - m->every_ms / 20 +
			     gw_hosts_random(r->host->hosts, tenth + 1);
	}
}

static void missed(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;

	if (q->missed < UINT8_MAX) {
		q->missed++;
	}
	if (q->missed >= MISSED_OFFLINE && !gw_plan_link(plan_of(r))->has_presence) {
		gw_registry_set_presence(r->device, GW_PRESENCE_OFFLINE);
	}
}

static void finish(struct gw_route *r, struct gw_job *job, enum gw_status status)
{
	gw_job_done *done = job->done;
	void *ctx = job->ctx;
	struct gw_outgoing out = job->out;

	job->out = (struct gw_outgoing){0};
	if (job->ask >= 0 && status != GW_STATUS_DONE) {
		poll_over(r, job->ask);
		if (status != GW_STATUS_EXPIRED) {
			missed(r);
		}
	}
	free_job(job);
	if (done) {
		done(ctx, status, &out);
	}
	gw_outgoing_fini(&out);
}

/* --- going out --- */

static void note_sent(struct gw_route *r, const struct gw_job *job)
{
	const struct gw_queue *q = &r->queue;
	const struct gw_hop_note hop = {
		.kind = GW_HOP_SENT,
		.status = GW_STATUS_DONE,
		.cause = job->cause,
		.time_wall_ms = gw_wall_ms(),
		.device = r->device,
		.msg = job->out.msgs[job->next].msg,
		.channel = q->channel.p,
		.raw = q->send.body,
		.decode_us = -1,
		.state_us = -1,
		.total_us = -1,
	};

	gw_journey_note(r->device->gateway->journey, &hop);
}

static void back_off(struct gw_route *r, struct gw_job *job, enum gw_status status)
{
	struct gw_queue *q = &r->queue;
	uint32_t most = (uint32_t)BACKOFF_MIN_MS << (q->failures < 5 ? q->failures : 5);

	if (most > BACKOFF_MAX_MS) {
		most = BACKOFF_MAX_MS;
	}
	if (q->failures < UINT8_MAX) {
		q->failures++;
	}
	job->last = status;
	q->not_before_ms = gw_clock_ms() + 1 + gw_hosts_random(r->host->hosts, most);
}

/* The message in flight was handed over. */
static void handed_over(struct gw_route *r, struct gw_job *job)
{
	struct gw_queue *q = &r->queue;
	uint16_t msg = job->out.msgs[job->next].msg;
	const struct gw_msg_info *m = gw_plan_msg(plan_of(r), msg);

	note_sent(r, job);
	r->host->sends++;
	q->failures = 0;
	q->sent_ms = gw_clock_ms();
	q->gap_ms = m->min_gap_ms;
	int32_t answer = answer_of(m, msg, job->ask >= 0);
	if (answer >= 0 && !q->replied) {
		q->awaiting = answer;
		q->awaiting_ask = job->ask >= 0;
		q->awaiting_ms = q->sent_ms + REPLY_MS;
	} else if (job->ask >= 0) {
		poll_over(r, job->ask);
	}
	if (++job->next == job->out.n_msgs) {
		finish(r, job, GW_STATUS_DONE);
	}
}

void gw_send_done(struct gw_send *s, enum gw_status status)
{
	struct gw_queue *q = gw_container(s, struct gw_queue, send);
	struct gw_route *r = gw_container(q, struct gw_route, queue);

	if (!q->in_flight) {
		return;
	}
	q->in_flight = false;
	struct gw_job *job = gw_container(q->jobs.next, struct gw_job, link);
	gw_route_enter(r);
	if (status == GW_STATUS_DONE) {
		handed_over(r, job);
	} else {
		r->host->failures++;
		if (status == GW_STATUS_UNREACHABLE && job->ask < 0) {
			back_off(r, job, status);
		} else {
			finish(r, job, status);
		}
	}
	if (!r->doomed) {
		gw_queue_pump(r);
	}
	gw_route_leave(r);
}

/* Fills the job of an ask when its turn comes. */
static int compose_ask(struct gw_route *r, struct gw_job *job)
{
	if (job->ask < 0 || job->out.n_msgs > 0) {
		return 0;
	}
	int e = gw_binding_ask(r->device->binding, (size_t)job->ask, &job->out);
	return e < 0 ? e : job->out.n_msgs == 0 ? -EINVAL : 0;
}

static int give_to_adapter(struct gw_route *r, struct gw_job *job)
{
	struct gw_queue *q = &r->queue;
	int e = compose_ask(r, job);

	if (e < 0) {
		return e;
	}
	const struct gw_out_msg *o = &job->out.msgs[job->next];
	const struct gw_msg_info *m = gw_plan_msg(plan_of(r), o->msg);
	bool get = m->get && (job->ask >= 0 || !m->tx);
	gw_buf_reset(&q->channel);
	e = gw_binding_channel(r->device->binding, get ? m->get : m->tx, &q->channel);
	if (e < 0) {
		return e;
	}
	q->send = (struct gw_send){
		.channel = gw_buf_str(&q->channel),
		.body = get ? GW_STR("") : o->body,
		.verb = get ? GW_VERB_GET : m->verb,
		.qos = m->qos,
		.retain = m->retain,
		.con = m->con,
		.ct = m->ct,
	};
	/* The job in flight is always the first of the queue. */
	gw_list_remove(&job->link);
	gw_list_append(q->jobs.next, &job->link);
	q->in_flight = true;
	q->replied = false;
	q->flight_ms = gw_clock_ms();
	job->begun = true;
	e = r->host->adapter.class->send(&r->host->adapter, &r->ad, &q->send);
	if (e < 0) {
		q->in_flight = false;
	}
	return e;
}

static bool may_go(const struct gw_route *r, const struct gw_job *job)
{
	const struct gw_device *d = r->device;

	if (!gw_route_reachable(r)) {
		return false;
	}
	if (d->presence != GW_PRESENCE_OFFLINE) {
		return true;
	}
	/* Only an answer to an ask can show that a device without presence is back. */
	return job->ask >= 0 && !gw_plan_link(plan_of(r))->has_presence;
}

/* Until when it waits for its turn; one that was begun has the total deadline of §3. */
static int64_t job_deadline(const struct gw_job *job)
{
	return job->expires_ms + (job->begun && job->next > 0 ? FLIGHT_MS : 0);
}

static void end_expired(struct gw_route *r, int64_t now_ms)
{
	struct gw_list *pos = r->queue.jobs.next;

	while (!r->doomed && pos != &r->queue.jobs) {
		struct gw_job *job = gw_container(pos, struct gw_job, link);
		bool gone = job->urgent && !may_go(r, job);
		if (gone || now_ms >= job_deadline(job)) {
			finish(r, job,
			       gone			     ? GW_STATUS_UNREACHABLE
			       : job->last == GW_STATUS_DONE ? GW_STATUS_EXPIRED
							     : job->last);
			pos = &r->queue.jobs; /* whoever heard of it may have changed the queue */
		}
		pos = pos->next;
	}
}

/* Somebody waits for a command, nobody for an ask: commands go first. */
static struct gw_job *next_job(struct gw_route *r)
{
	struct gw_job *ask = NULL;

	gw_list_for(pos, &r->queue.jobs)
	{
		struct gw_job *job = gw_container(pos, struct gw_job, link);
		if (!may_go(r, job)) {
			continue;
		}
		if (job->ask < 0) {
			return job;
		}
		ask = ask ? ask : job;
	}
	return ask;
}

static int64_t earliest_send(const struct gw_route *r, const struct gw_job *job)
{
	const struct gw_queue *q = &r->queue;
	size_t msg = job->ask >= 0 ? (size_t)job->ask : job->out.msgs[job->next].msg;
	int64_t gap = gw_plan_msg(plan_of(r), msg)->min_gap_ms;
	int64_t at = q->sent_ms + (gap > q->gap_ms ? gap : q->gap_ms);

	return q->sent_ms > 0 && at > q->not_before_ms ? at : q->not_before_ms;
}

static void end_wait(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;
	int32_t answer = q->awaiting;

	q->awaiting = -1;
	if (!q->awaiting_ask) {
		return;
	}
	q->awaiting_ask = false;
	for (size_t i = 0; i < q->n_polls; i++) {
		uint16_t msg = q->polls[i].msg;
		if (q->polls[i].queued &&
		    answer_of(gw_plan_msg(plan_of(r), msg), msg, true) == answer) {
			poll_over(r, msg);
		}
	}
}

/* One step; false when nothing can go out now. */
static bool step(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;
	int64_t now_ms = gw_clock_ms();

	if (q->in_flight || (q->awaiting >= 0 && !q->awaiting_ask)) {
		return false;
	}
	end_expired(r, now_ms);
	struct gw_job *job = r->doomed ? NULL : next_job(r);
	if (!job || earliest_send(r, job) > now_ms) {
		return false;
	}
	if (q->awaiting >= 0) {
		if (job->ask >= 0) {
			return false;
		}
		end_wait(r); /* a device that does not answer an ask keeps no command waiting */
	}
	int e = give_to_adapter(r, job);
	if (e == -ENOTCONN || e == -ENOBUFS || e == -EAGAIN) {
		back_off(r, job, GW_STATUS_UNREACHABLE);
	} else if (e < 0) {
		r->host->failures++;
		finish(r, job, GW_STATUS_FAILED);
	}
	return !r->doomed;
}

/* When something has to be looked at again. */
static void arm(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;
	int64_t at = INT64_MAX;
	int64_t now_ms = gw_clock_ms();

	if (q->in_flight) {
		at = q->flight_ms + FLIGHT_MS;
	} else if (q->awaiting >= 0) {
		at = q->awaiting_ms;
	}
	if (!q->in_flight && (q->awaiting < 0 || q->awaiting_ask)) {
		gw_list_for(pos, &q->jobs)
		{
			const struct gw_job *job = gw_container(pos, struct gw_job, link);
			if (q->awaiting >= 0 && job->ask >= 0) {
				continue;
			}
			int64_t when = job_deadline(job);
			if (may_go(r, job) && earliest_send(r, job) < when) {
				when = earliest_send(r, job);
			}
			at = when < at ? when : at;
		}
	}
	for (size_t i = 0; i < q->n_polls; i++) {
		at = q->polls[i].next_ms < at ? q->polls[i].next_ms : at;
	}
	if (q->wake && gw_route_reachable(r)) {
		at = now_ms;
	}
	if (at == INT64_MAX) {
		gw_deadline_clear(deadlines(r), &q->due);
	} else {
		gw_deadline_set(deadlines(r), &q->due, at);
	}
}

void gw_queue_pump(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;

	if (q->pumping) {
		return;
	}
	gw_route_enter(r);
	q->pumping = true;
	while (!r->doomed && step(r)) {
	}
	q->pumping = false;
	if (!r->doomed) {
		arm(r);
	}
	gw_route_leave(r);
}

/* --- what comes up by itself --- */

static struct gw_job *new_job(struct gw_route *r, int32_t ask, int64_t expires_ms)
{
	struct gw_job *job = gw_new(struct gw_job);

	if (job) {
		job->ask = ask;
		job->last = GW_STATUS_DONE;
		job->expires_ms = expires_ms;
		gw_list_append(&r->queue.jobs, &job->link);
	}
	return job;
}

static void start_due_polls(struct gw_route *r, int64_t now_ms)
{
	struct gw_queue *q = &r->queue;

	for (size_t i = 0; i < q->n_polls; i++) {
		struct gw_poll *p = &q->polls[i];
		if (p->next_ms > now_ms || p->queued) {
			continue;
		}
		p->queued = new_job(r, p->msg, now_ms + ASK_EXPIRES_MS) != NULL;
		p->next_ms = p->queued ? INT64_MAX : now_ms + BACKOFF_MAX_MS;
	}
}

static void on_due(struct gw_deadline *due)
{
	struct gw_queue *q = gw_container(due, struct gw_queue, due);
	struct gw_route *r = gw_container(q, struct gw_route, queue);
	int64_t now_ms = gw_clock_ms();

	gw_route_enter(r);
	if (q->in_flight && now_ms >= q->flight_ms + FLIGHT_MS) {
		r->host->adapter.class->cancel(&r->host->adapter, &q->send);
		gw_send_done(&q->send, GW_STATUS_TIMEOUT);
	}
	if (!r->doomed && q->awaiting >= 0 && now_ms >= q->awaiting_ms) {
		bool ask = q->awaiting_ask;
		end_wait(r);
		if (ask) {
			missed(r);
		}
	}
	if (!r->doomed && q->wake && gw_route_reachable(r)) {
		unsigned on = q->wake;
		q->wake = 0;
		gw_queue_ask_on(r, on);
		gw_commands_wake(r->device);
	}
	if (!r->doomed) {
		start_due_polls(r, now_ms);
		gw_queue_pump(r);
	}
	gw_route_leave(r);
}

void gw_queue_wake(struct gw_route *r, unsigned on)
{
	r->queue.wake |= on | WOKEN;
	gw_deadline_advance(deadlines(r), &r->queue.due, gw_clock_ms());
}

void gw_queue_ask(struct gw_route *r, uint16_t msg, int64_t after_ms)
{
	struct gw_poll *p = find_poll(&r->queue, msg);
	int64_t at = gw_clock_ms() + after_ms;

	if (p && !p->queued && at < p->next_ms) {
		p->next_ms = at;
		gw_deadline_advance(deadlines(r), &r->queue.due, at);
	}
}

void gw_queue_ask_on(struct gw_route *r, unsigned on)
{
	/* After a start or a lost link everybody asks: not all in one breath. */
	bool many = on & (GW_ASK_BIND | GW_ASK_ONLINE);
	uint32_t spread = many ? (uint32_t)r->host->n_routes * 2 : 0;

	for (size_t i = 0; i < r->queue.n_polls; i++) {
		uint16_t msg = r->queue.polls[i].msg;
		const struct gw_msg_info *m = gw_plan_msg(plan_of(r), msg);
		bool first =
			(on & GW_ASK_BIND) && m->every_ms > 0 && !gw_plan_link(plan_of(r))->sleepy;
		if ((m->on & on) || first) {
			gw_queue_ask(r, msg, gw_hosts_random(r->host->hosts, spread + 1));
		}
	}
}

bool gw_queue_ask_all(struct gw_route *r)
{
	for (size_t i = 0; i < r->queue.n_polls; i++) {
		gw_queue_ask(r, r->queue.polls[i].msg, 0);
	}
	return r->queue.n_polls > 0;
}

void gw_queue_received(struct gw_route *r, uint16_t msg)
{
	struct gw_queue *q = &r->queue;

	if (q->n_polls > 0) {
		q->missed = 0;
	}
	if (q->awaiting == msg) {
		end_wait(r);
		gw_queue_pump(r);
	} else if (q->in_flight) {
		const struct gw_job *job = gw_container(q->jobs.next, struct gw_job, link);
		uint16_t sent = job->out.msgs[job->next].msg;
		q->replied |= answer_of(gw_plan_msg(plan_of(r), sent), sent, job->ask >= 0) == msg;
	}
}

/* --- jobs --- */

struct gw_job *gw_queue_submit(struct gw_route *r, struct gw_outgoing *out, uint64_t cause,
			       int64_t expires_ms, bool urgent, gw_job_done *done, void *ctx)
{
	struct gw_job *job = new_job(r, -1, expires_ms);

	if (!job) {
		return NULL;
	}
	job->out = *out;
	*out = (struct gw_outgoing){0};
	job->cause = cause;
	job->urgent = urgent;
	job->done = done;
	job->ctx = ctx;
	return job;
}

void gw_queue_abandon(struct gw_route *r, struct gw_job *job)
{
	job->done = NULL;
	job->ctx = NULL;
	if (!job->begun) {
		free_job(job);
		arm(r);
	}
}

bool gw_job_begun(const struct gw_job *job)
{
	return job->begun;
}

int gw_queue_init(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;
	struct gw_plan *plan = plan_of(r);
	size_t n = 0;

	gw_list_init(&q->jobs);
	gw_buf_init(&q->channel, GW_TOPIC_BYTES + 1);
	q->awaiting = -1;
	q->due.fn = on_due;
	for (size_t i = 0; i < gw_plan_msg_count(plan); i++) {
		n += is_question(gw_plan_msg(plan, i)) ? 1 : 0;
	}
	if (n == 0) {
		return 0;
	}
	q->polls = gw_array(struct gw_poll, n);
	if (!q->polls) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < gw_plan_msg_count(plan); i++) {
		if (is_question(gw_plan_msg(plan, i))) {
			q->polls[q->n_polls++] =
				(struct gw_poll){.msg = (uint16_t)i, .next_ms = INT64_MAX};
		}
	}
	return 0;
}

void gw_queue_fini(struct gw_route *r)
{
	struct gw_queue *q = &r->queue;

	if (q->in_flight) {
		q->in_flight = false;
		r->host->adapter.class->cancel(&r->host->adapter, &q->send);
	}
	while (!gw_list_empty(&q->jobs)) {
		struct gw_job *job = gw_container(q->jobs.next, struct gw_job, link);
		gw_job_done *done = job->done;
		void *ctx = job->ctx;
		free_job(job);
		if (done) {
			struct gw_outgoing out = {0};
			done(ctx, GW_STATUS_UNREACHABLE, &out);
		}
	}
	gw_deadline_clear(deadlines(r), &q->due);
	gw_buf_fini(&q->channel);
	gw_free(q->polls);
	q->polls = NULL;
	q->n_polls = 0;
}
