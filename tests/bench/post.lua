-- For wrk: a request for blood, each time a new one.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"hospital_id":"hospital-001","component":"red_cells","group":"A+","quantity":1,"urgency":"routine"}'
