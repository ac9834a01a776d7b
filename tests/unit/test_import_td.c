/* Thing Descriptions: each construct on its own, and each assertion of the specification with a description that breaks it. */
#include "import_case.h"

static void test_each_construct(void **state)
{
	(void)state;
	case_folder("thing-description");
}

#define HEAD	 "\"@context\": \"https://www.w3.org/2022/wot/td/v1.1\", \"title\": \"t\", "
#define SECURITY "\"securityDefinitions\": {\"n\": {\"scheme\": \"nosec\"}}, \"security\": \"n\", "
#define DEFINED(definition)                                                                        \
	"{" HEAD "\"security\": \"n\", \"securityDefinitions\": {\"n\": " definition "}}"
#define PROPERTY(members)                                                                          \
	"{" HEAD SECURITY                                                                          \
	"\"properties\": {\"p\": {\"forms\": [{\"href\": \"http://h/p\"}], " members "}}}"
#define THING(members) "{" HEAD SECURITY members "}"

static const struct {
	const char *text, *at, *reason;
} refused[] = {
	{"[]", "", "is a map"},
	{"{}", "", "\"@context\" is missing"},
	{"{\"@context\": 5}", "/@context", "must be a text or a list"},
	{"{\"@context\": \"https://example.org\"}", "/@context", "not the context"},
	{"{\"@context\": [{\"a\": \"b\"}]}", "/@context", "not the context"},
	{"{\"@context\": [\"https://www.w3.org/2022/wot/td/v1.1\", 5]}", "/@context",
	 "expected a URI"},
	{"{\"@context\": [\"https://www.w3.org/2022/wot/td/v1.1\", {\"x\": 1}]}", "/@context",
	 "stands for a text"},
	{"{\"@context\": \"https://www.w3.org/2022/wot/td/v1.1\"}", "", "\"title\" is missing"},
	{"{\"@context\": \"https://www.w3.org/2022/wot/td/v1.1\", \"title\": \"\"}", "/title",
	 "empty"},
	{"{" HEAD "\"security\": \"n\"}", "", "\"securityDefinitions\" is missing"},
	{"{" HEAD "\"securityDefinitions\": {\"n\": {\"scheme\": \"nosec\"}}}", "",
	 "\"security\" is missing"},
	{"{" HEAD
	 "\"security\": [\"m\"], \"securityDefinitions\": {\"n\": {\"scheme\": \"nosec\"}}}",
	 "/security", "has no \"m\""},
	{"{" HEAD "\"security\": [5], \"securityDefinitions\": {\"n\": {\"scheme\": \"nosec\"}}}",
	 "/security/0", "expected a text"},
	{"{" HEAD "\"security\": [], \"securityDefinitions\": {\"n\": {\"scheme\": \"nosec\"}}}",
	 "/security", "the list is empty"},
	{"{" HEAD "\"security\": \"n\", \"securityDefinitions\": {}}", "/securityDefinitions",
	 "no security"},
	{DEFINED("5"), "/securityDefinitions/n", "expected a map"},
	{DEFINED("{}"), "/securityDefinitions/n", "\"scheme\" is missing"},
	{DEFINED("{\"scheme\": \"magic\"}"), "/securityDefinitions/n/scheme", "no security scheme"},
	{DEFINED("{\"scheme\": \"basic\", \"in\": \"air\"}"), "/securityDefinitions/n/in",
	 "no place of a credential"},
	{DEFINED("{\"scheme\": \"digest\", \"qop\": \"x\"}"), "/securityDefinitions/n/qop",
	 "no quality of protection"},
	{DEFINED("{\"scheme\": \"bearer\", \"proxy\": \"x\"}"), "/securityDefinitions/n/proxy",
	 "no URI"},
	{DEFINED("{\"scheme\": \"combo\"}"), "/securityDefinitions/n", "either oneOf or allOf"},
	{DEFINED("{\"scheme\": \"combo\", \"allOf\": [\"n\"]}"), "/securityDefinitions/n",
	 "at least two"},
	{DEFINED("{\"scheme\": \"combo\", \"oneOf\": [\"n\", \"x\"]}"),
	 "/securityDefinitions/n/oneOf", "has no \"x\""},
	{DEFINED("{\"scheme\": \"oauth2\"}"), "/securityDefinitions/n", "\"flow\" is missing"},
	{DEFINED("{\"scheme\": \"oauth2\", \"flow\": \"code\", \"token\": \"http://a/b\"}"),
	 "/securityDefinitions/n", "needs \"authorization\""},
	{DEFINED("{\"scheme\": \"oauth2\", \"flow\": \"client\"}"), "/securityDefinitions/n",
	 "needs \"token\""},
	{DEFINED("{\"scheme\": \"oauth2\", \"flow\": \"client\", \"token\": \"http://a/b\", "
		 "\"authorization\": \"http://a/b\"}"),
	 "/securityDefinitions/n", "has no \"authorization\""},
	{DEFINED("{\"scheme\": \"apikey\", \"in\": \"uri\"}"), "/securityDefinitions/n",
	 "\"name\" is missing"},
	{"{" HEAD "\"security\": \"n\", \"securityDefinitions\": {\"n\": {\"scheme\": \"apikey\", "
	 "\"in\": \"uri\", \"name\": \"k\"}}, \"uriVariables\": {\"k\": {\"type\": \"string\"}}}",
	 "/securityDefinitions/n", "a URI variable too"},
	{THING("\"@type\": \"tm:ThingModel\""), "", "Thing Model"},
	{THING("\"@type\": []"), "/@type", "the list is empty"},
	{THING("\"id\": \"no uri\""), "/id", "no URI"},
	{THING("\"base\": \"/path\""), "/base", "no URI"},
	{THING("\"titles\": {\"en\": 5}"), "/titles/en", "a text for each language"},
	{THING("\"version\": {\"model\": \"1\"}"), "/version", "\"instance\" is missing"},
	{THING("\"created\": \"yesterday\""), "/created", "no date"},
	{THING("\"modified\": \"2020-01-01\""), "/modified", "no date"},
	{THING("\"links\": [{\"rel\": \"x\"}]"), "/links/0", "\"href\" is missing"},
	{THING("\"links\": {}"), "/links", "must be a list"},
	{THING("\"schemaDefinitions\": {\"s\": 5}"), "/schemaDefinitions/s", "expected a map"},
	{THING("\"uriVariables\": {\"a/b\": {\"type\": \"object\"}}"), "/uriVariables/a~1b",
	 "cannot be of type object"},
	{THING("\"forms\": []"), "/forms", "no form"},
	{THING("\"forms\": [{\"href\": \"http://h\"}]"), "/forms/0", "\"op\" is missing"},
	{THING("\"forms\": [{\"href\": \"http://h\", \"op\": \"readproperty\"}]"), "/forms/0/op",
	 "no operation here"},
	{THING("\"properties\": []"), "/properties", "must be a map"},
	{THING("\"properties\": {\"p\": 5}"), "/properties/p", "expected a map"},
	{THING("\"properties\": {\"p\": {}}"), "/properties/p", "\"forms\" is missing"},
	{THING("\"properties\": {\"p\": {\"forms\": []}}"), "/properties/p/forms", "no form"},
	{THING("\"properties\": {\"p\": {\"forms\": [5]}}"), "/properties/p/forms/0",
	 "expected a map"},
	{THING("\"properties\": {\"p\": {\"forms\": [{}]}}"), "/properties/p/forms/0",
	 "\"href\" is missing"},
	{THING("\"properties\": {\"p\": {\"forms\": [{\"href\": \"x\", \"op\": [\"a\"]}]}}"),
	 "/properties/p/forms/0/op", "no operation here"},
	{THING("\"properties\": {\"p\": {\"forms\": [{\"href\": \"x\", \"security\": \"m\"}]}}"),
	 "/properties/p/forms/0/security", "has no \"m\""},
	{THING("\"properties\": {\"p\": {\"forms\": [{\"href\": \"x\", \"response\": {}}]}}"),
	 "/properties/p/forms/0/response", "\"contentType\" is missing"},
	{THING("\"properties\": {\"p\": {\"forms\": [{\"href\": \"x\", \"additionalResponses\": "
	       "[{\"success\": 1}]}]}}"),
	 "/properties/p/forms/0/additionalResponses/0/success", "must be true or false"},
	{PROPERTY("\"type\": \"text\""), "/properties/p/type", "no type of a data schema"},
	{PROPERTY("\"type\": 5"), "/properties/p/type", "must be a text"},
	{PROPERTY("\"enum\": []"), "/properties/p/enum", "empty"},
	{PROPERTY("\"enum\": [1, 2, 1]"), "/properties/p/enum", "twice"},
	{PROPERTY("\"minimum\": \"1\""), "/properties/p/minimum", "must be a number"},
	{PROPERTY("\"multipleOf\": 0"), "/properties/p/multipleOf", "above 0"},
	{PROPERTY("\"maxLength\": 1.5"), "/properties/p/maxLength", "whole number"},
	{PROPERTY("\"readOnly\": \"yes\""), "/properties/p/readOnly", "must be true or false"},
	{PROPERTY("\"observable\": 1"), "/properties/p/observable", "must be true or false"},
	{PROPERTY("\"items\": [5]"), "/properties/p/items/0", "expected a map"},
	{PROPERTY("\"items\": {\"type\": \"x\"}"), "/properties/p/items/type", "no type"},
	{PROPERTY("\"properties\": {\"a\": {\"unit\": 5}}"), "/properties/p/properties/a/unit",
	 "must be a text"},
	{PROPERTY("\"required\": []"), "/properties/p/required", "empty"},
	{PROPERTY("\"oneOf\": {}"), "/properties/p/oneOf", "must be a list"},
	{THING("\"actions\": {\"a\": {\"forms\": [{\"href\": \"x\"}], \"safe\": 1}}"),
	 "/actions/a/safe", "must be true or false"},
	{THING("\"actions\": {\"a\": {\"forms\": [{\"href\": \"x\", \"op\": \"readproperty\"}]}}"),
	 "/actions/a/forms/0/op", "no operation here"},
	{THING("\"actions\": {\"a\": {\"forms\": [{\"href\": \"x\"}], \"input\": {\"type\": \"x\"}}}"),
	 "/actions/a/input/type", "no type"},
	{THING("\"events\": {\"e\": {\"data\": {\"type\": \"string\"}}}"), "/events/e",
	 "\"forms\" is missing"},
	{THING("\"events\": {\"e\": {\"forms\": [{\"href\": \"x\", \"op\": \"invokeaction\"}]}}"),
	 "/events/e/forms/0/op", "no operation here"},
};

static void test_broken_assertions(void **state)
{
	(void)state;
	const struct gw_file_importer *kind = case_kind("thing-description");
	for (size_t i = 0; i < gw_countof(refused); i++) {
		const char *path = refused[i].text;
		struct gw_import_result result = {.devices = NULL};
		struct gw_error e = {.text = ""};
		int r = gw_file_import(kind, gw_str(refused[i].text), "case", &result, &e);
		case_check(r == -EBADMSG, "%d instead of a refusal", r);
		case_check(strcmp(e.at, refused[i].at) == 0, "at %s: %s", e.at, e.text);
		case_check(strstr(e.text, refused[i].reason), "\"%s\" is not in \"%s\"",
			   refused[i].reason, e.text);
		gw_import_result_fini(&result);
	}
}

/* The same texts without what breaks them are accepted. */
static void test_sound_ones(void **state)
{
	(void)state;
	static const char *const sound[] = {
		THING("\"@type\": \"Thing\""),
		PROPERTY("\"type\": \"string\", \"unknownMember\": 5"),
		DEFINED("{\"scheme\": \"ace:ACESecurityScheme\"}"),
		DEFINED("{\"scheme\": \"oauth2\", \"flow\": \"device\", \"authorization\": "
			"\"http://a/b\", \"token\": \"http://a/b\"}"),
	};
	const struct gw_file_importer *kind = case_kind("thing-description");
	for (size_t i = 0; i < gw_countof(sound); i++) {
		const char *path = sound[i];
		struct gw_import_result result = {.devices = NULL};
		struct gw_error e = {.text = ""};
		int r = gw_file_import(kind, gw_str(sound[i]), "case", &result, &e);
		case_check(r == 0 && result.n_devices == 1, "%s at %s", e.text, e.at);
		gw_import_result_fini(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_construct),
		cmocka_unit_test(test_broken_assertions),
		cmocka_unit_test(test_sound_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
