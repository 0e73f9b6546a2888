-- Gateways keep a call's first facts back until its tenant is known: nothing has to wait here.
DROP TABLE crm.unclaimed_call;
