/*
 * Our own importer against the documents of our own surface: it must find the home again that was announced, and what it sends must arrive.
 * (In a home of one piece it never sees them: the gateway passes over what it announces itself.)
 */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/import.h"
#include "gw/node.h"
#include "ha_home.h"

struct reader {
	struct gw_importer *importer;
	struct gw_import_result result;
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *binding;
	struct gw_vars vars;
};

static const struct gw_importer_class *homeassistant(void)
{
	const struct gw_importer_class *c;
	for (size_t i = 0; (c = gw_importer_class_at(i)) != NULL; i++) {
		if (strcmp(c->name, "homeassistant") == 0) {
			return c;
		}
	}
	fail_msg("no importer for Home Assistant");
	return NULL;
}

/* Everything that is retained for it. */
static void receive_all(struct made_home *h, struct reader *r)
{
	for (size_t i = 0; i < gw_plan_msg_count(r->plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(r->plan, i);
		for (size_t k = 0; k < m->n_rx; k++) {
			GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(1000);
			struct gw_received got;
			assert_int_equal(gw_binding_channel(r->binding, m->rx[k], &topic), 0);
			const char *text = mqtt_home_last(&h->m, topic.p);
			struct gw_body body = {.bytes = gw_str(text ? text : "")};
			if (text && gw_binding_receive(r->binding, i, &body, true, 0, &got) < 0) {
				fail_msg("%s: %s cannot be read", topic.p, text);
			}
		}
	}
}

static void open_reader(struct made_home *h, struct reader *r, const char *device)
{
	struct gw_error e = {0};
	*r = (struct reader){.importer = gw_importer_new(homeassistant())};
	assert_non_null(r->importer);
	const char *topic = document_topic(device);
	if (homeassistant()->message(r->importer, gw_str(topic),
				     gw_str(mqtt_home_last(&h->m, topic)), &r->result, &e) < 0 ||
	    r->result.n_devices != 1) {
		fail_msg("%s: %zu devices: %s", device, r->result.n_devices, e.text);
	}
	const struct gw_imported *d = &r->result.devices[0];
	assert_string_equal(d->name, device);
	assert_string_equal(d->vendor, "Vendor");
	if (gw_profile_load_text(h->m.home.g->library, gw_str(d->profile), d->identity,
				 GW_PROFILE_IMPORTED, &r->profile, &e) < 0 ||
	    gw_vars_copy(&r->vars, &d->vars) < 0 ||
	    gw_profile_complete_vars(r->profile, &r->vars, &e) < 0 ||
	    gw_plan_get(r->profile, &r->vars, &r->plan, &e) < 0 ||
	    gw_binding_new(r->plan, &r->vars, &r->binding, &e) < 0) {
		fail_msg("%s: %s at %s: %s", device, e.text, e.at, d->profile);
	}
	receive_all(h, r);
}

static void close_reader(struct reader *r)
{
	gw_binding_free(r->binding);
	gw_plan_unref(r->plan);
	gw_profile_unref(r->profile);
	gw_vars_fini(&r->vars);
	gw_import_result_fini(&r->result);
	gw_importer_free(r->importer);
}

static void check_value(struct made_home *h, const struct reader *r, const char *device,
			const struct gw_node *want)
{
	GW_AUTO(gw_buf_fini) struct gw_buf got = GW_BUF_INIT(10000);
	int cap = gw_plan_find_cap(r->plan, want->key);
	enum gw_quality quality;
	if (cap < 0) {
		fail_msg("%s: %s was not read back", device, want->key.p);
	}
	const struct gw_value *v = gw_binding_value(r->binding, (size_t)cap, &quality);
	gw_value_write_json(&got, v, gw_plan_cap(r->plan, (size_t)cap)->domain.res);
	if (!gw_node_equal(made_home_parse(h, got.p), want)) {
		fail_msg("%s: %s is read back as %s", device, want->key.p, got.p);
	}
}

/* As JSON: what is reported, under the addresses that the importer gives. */
static const struct {
	const char *device, *want;
} read_back[] = {
	{"light", "{\"switch.on\":true,\"level.value\":40,\"color.effect\":\"fire\"}"},
	{"lamp_xy", "{\"switch.on\":true}"},
	{"strip", "{\"switch.on\":true,\"outlet_2_switch_on/switch.on\":false,\"link.rssi\":-60,"
		  "\"meter.power\":12.5,\"meter.energy\":3.25}"},
	{"outlet", "{\"switch.on\":true,\"x.ha.child_lock_on\":false}"},
	{"curtain",
	 "{\"covering.position\":30,\"covering.tilt\":50,\"covering.moving\":\"stopped\"}"},
	{"blind", "{\"covering.position\":30}"},
	{"garage", "{\"closure.state\":\"closed\"}"},
	{"thermostat",
	 "{\"thermostat.setpoint\":21.5,\"thermostat.current\":20.5,\"thermostat.action\":"
	 "\"heating\",\"thermostat.preset\":\"eco\",\"humidity.measured\":45}"},
	{"aircon", "{\"thermostat.setpoint\":24,\"thermostat.current\":25,\"fan.mode\":\"low\","
		   "\"fan.rock_ud\":false}"},
	{"heater", "{\"thermostat.mode\":\"heat\",\"thermostat.setpoint\":20,"
		   "\"thermostat.current\":19}"},
	{"humidifier", "{\"switch.on\":true,\"humidity.setpoint\":50,\"humidity.measured\":41,"
		       "\"humidifier.mode\":\"auto\",\"humidifier.action\":\"humidifying\","
		       "\"x.ha.fan_mode\":\"low\",\"x.ha.fan_percent\":30}"},
	{"fan", "{\"switch.on\":true,\"fan.percent\":30,\"fan.rock_lr\":false,"
		"\"fan.direction\":\"forward\",\"link.online\":true}"},
	{"purifier", "{\"switch.on\":true,\"fan.percent\":30,\"air.pm2_5\":12}"},
	{"door", "{\"lock.state\":\"locked\",\"contact.open\":false,\"battery.level\":80}"},
	{"valve", "{\"valve.open\":true,\"link.online\":true}"},
	{"dosing", "{\"valve.level\":30}"},
	{"vacuum", "{\"operation.state\":\"docked\",\"robot.suction\":\"quiet\","
		   "\"x.ha.robot_run_mode\":\"idle\"}"},
	{"mower", "{\"mower.activity\":\"docked\"}"},
	{"mixed", "{\"switch.on\":true,\"contact.open\":true,\"x.ha.battery_charging\":true,"
		  "\"x.ha.temperature_alarm\":\"high\",\"x.ha.lock_mode\":\"normal\","
		  "\"x.ha.lock_auto_relock\":30,\"x.ha.x_acme_mood\":3,"
		  "\"x_acme_shine/switch.on\":true}"},
};

static void test_read_back(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "rights: critical");
	for (size_t i = 0; i < gw_countof(read_back); i++) {
		struct reader r;
		open_reader(&h, &r, read_back[i].device);
		gw_node_for(want, made_home_parse(&h, read_back[i].want))
		{
			check_value(&h, &r, read_back[i].device, want);
		}
		close_reader(&r);
	}
	made_home_close(&h);
}

/* A command through the profile that was read back, over the broker, through our surface, to the device. value NULL: an action. */
static const struct {
	const char *device, *address, *value, *sent;
} through[] = {
	{"light", "switch.on", "false", "set {\"switch_on\":false}"},
	{"light", "level.value", "60", "set {\"level_value\":60}"},
	{"light", "color.effect", "\"rainbow\"", "set {\"color_effect\":\"rainbow\"}"},
	{"strip", "outlet_2_switch_on/switch.on", "true", "set {\"outlet_2_switch_on\":true}"},
	{"outlet", "x.ha.child_lock_on", "true", "set {\"child_lock_on\":true}"},
	{"outlet", "device.restart", 0, "device_restart go"},
	{"curtain", "covering.position", "70", "set {\"covering_position\":70}"},
	{"curtain", "covering.tilt", "10", "set {\"covering_tilt\":10}"},
	{"curtain", "covering.open", 0, "covering_open go"},
	{"curtain", "covering.close", 0, "covering_close go"},
	{"curtain", "covering.stop", 0, "covering_stop go"},
	{"blind", "covering.open", 0, "set {\"covering_position\":100}"},
	{"blind", "covering.close", 0, "set {\"covering_position\":0}"},
	{"thermostat", "thermostat.setpoint", "23.5", "set {\"thermostat_setpoint\":23.5}"},
	{"thermostat", "thermostat.preset", "\"away\"", "set {\"thermostat_preset\":\"away\"}"},
	{"aircon", "fan.mode", "\"high\"", "set {\"fan_mode\":\"high\"}"},
	{"aircon", "fan.rock_ud", "true", "set {\"fan_rock_ud\":true}"},
	{"heater", "thermostat.mode", "\"off\"", "set {\"switch_on\":false}"},
	{"humidifier", "humidity.setpoint", "70", "set {\"humidity_setpoint\":70}"},
	{"humidifier", "humidifier.mode", "\"sleep\"", "set {\"humidifier_mode\":\"sleep\"}"},
	{"fan", "fan.percent", "80", "set {\"fan_percent\":80}"},
	{"fan", "fan.rock_lr", "true", "set {\"fan_rock_lr\":true}"},
	{"fan", "fan.direction", "\"reverse\"", "set {\"fan_direction\":\"reverse\"}"},
	{"purifier", "switch.on", "false", "set {\"fan_mode\":\"off\"}"},
	{"door", "lock.lock", 0, "lock_lock go"},
	{"door", "lock.unlock", 0, "lock_unlock go"},
	{"door", "lock.unlatch", 0, "lock_unlatch go"},
	{"valve", "valve.open", "false", "set {\"valve_open\":false}"},
	{"dosing", "valve.level", "75", "set {\"valve_level\":75}"},
	{"vacuum", "operation.start", 0, "operation_start go"},
	{"vacuum", "operation.pause", 0, "operation_pause go"},
	{"vacuum", "robot.go_home", 0, "robot_go_home go"},
	{"vacuum", "robot.locate", 0, "robot_locate go"},
	{"vacuum", "robot.suction", "\"max\"", "set {\"robot_suction\":\"max\"}"},
	{"mower", "operation.start", 0, "operation_start go"},
	{"mower", "operation.pause", 0, "operation_pause go"},
	{"mower", "robot.go_home", 0, "robot_go_home go"},
	{"mixed", "x.ha.lock_mode", "\"vacation\"", "set {\"lock_mode\":\"vacation\"}"},
	{"mixed", "x.ha.lock_auto_relock", "45", "set {\"lock_auto_relock\":45}"},
	{"mixed", "x_acme_shine/switch.on", "false", "set {\"x_acme_shine\":false}"},
};

static void send_through(struct made_home *h, struct reader *r, const char *address,
			 const char *value)
{
	struct gw_outgoing out = {.msgs = NULL};
	struct gw_write_error e = {.code = ""};
	struct gw_wanted wanted = {gw_str(address), value ? made_home_parse(h, value) : NULL};
	int result = value ? gw_binding_write(r->binding, &wanted, 1, 0, &out, &e)
			   : gw_binding_act(r->binding, gw_str(address), NULL, 0, &out, &e);
	if (result < 0) {
		fail_msg("%s: %s: %s", address, e.code, e.text);
	}
	for (size_t i = 0; i < out.n_msgs; i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(1000);
		const struct gw_msg_info *m = gw_plan_msg(r->plan, out.msgs[i].msg);
		assert_int_equal(gw_binding_channel(r->binding, m->tx, &topic), 0);
		assert_int_equal(gw_mqtt_link_publish(h->m.ear, gw_buf_str(&topic),
						      out.msgs[i].body, 0, false, NULL),
				 0);
	}
	gw_outgoing_fini(&out);
}

static void test_command_through_importer(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "rights: critical");
	for (size_t i = 0; i < gw_countof(through); i++) {
		struct reader r;
		char sent[256];
		open_reader(&h, &r, through[i].device);
		played_clear();
		send_through(&h, &r, through[i].address, through[i].value);
		(void)snprintf(sent, sizeof(sent), "dev/%s/%s", through[i].device, through[i].sent);
		mqtt_home_wait_sent(&h.m, sent);
		close_reader(&r);
	}
	made_home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_command_through_importer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
