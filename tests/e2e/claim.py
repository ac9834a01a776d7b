"""Nobody, the first owner, wrong codes, log-ins: what a fresh gateway answers to whom."""
from home import Broker, Home, run, until


def an_unclaimed_home_answers_only_health_and_claim(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    assert home.http("GET", "/health", token=None)[0] == 200
    for method, path in (("GET", "/api/v1/devices"), ("GET", "/api/v1/home"), ("POST", "/api/v1/scan"), ("GET", "/metrics"),
                         ("GET", "/api/v1/claim"), ("POST", "/api/v1/claim/open"), ("GET", "/api/v1/journey")):
        status, body = home.http(method, path, {} if method == "POST" else None, token=None)
        assert status in (401, 403, 404), (path, status, body)
    assert "Claim" in home.log_text() or "claim" in home.log_text()
    code = home.json("claim", "code")["code"]
    assert code in home.log_text(), "the console shows the code"
    home.claim()
    assert home.http("GET", "/api/v1/devices")[0] == 200
    assert home.http("POST", "/api/v1/claim", {"code": code, "account": "eve", "password": "correct horse battery"}, token=None)[0] == 409
    home.stop()
    broker.stop()


def ten_wrong_codes_close_the_window(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    for _ in range(10):
        status, _ = home.http("POST", "/api/v1/claim", {"code": "0000-0000", "account": "eve", "password": "correct horse battery"}, token=None)
        assert status in (401, 403, 429), status
    assert not home.json("claim", "code").get("code")
    home.cli("claim", "open")
    home.claim()
    home.stop()
    broker.stop()


def log_in_and_out(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    home.claim("anna", "correct horse battery")
    assert home.http("POST", "/api/v1/login", {"account": "anna", "password": "wrong"}, token=None)[0] == 401
    status, body = home.http("POST", "/api/v1/login", {"account": "anna", "password": "correct horse battery"}, token=None)
    assert status == 200, body
    assert home.http("GET", "/api/v1/me", token=body["token"])[1]["role"] == "owner"
    assert home.http("POST", "/api/v1/logout", {}, token=body["token"])[0] in (200, 204)
    assert home.http("GET", "/api/v1/me", token=body["token"])[0] == 401
    home.stop()
    broker.stop()


def a_lost_account_store_authorises_nobody(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    home.claim()
    home.stop()
    for f in home.state.glob("home.db*"):
        f.unlink()
    home.start()
    assert home.http("GET", "/api/v1/devices")[0] == 401
    status, _ = home.http("POST", "/api/v1/claim", {"code": "0000-0000", "account": "eve", "password": "correct horse battery"}, token=None)
    assert status in (401, 403, 409), status
    home.cli("claim", "open")
    until("a code", lambda: home.json("claim", "code").get("code"))
    home.stop()
    broker.stop()


if __name__ == "__main__":
    run(an_unclaimed_home_answers_only_health_and_claim, ten_wrong_codes_close_the_window, log_in_and_out, a_lost_account_store_authorises_nobody)
