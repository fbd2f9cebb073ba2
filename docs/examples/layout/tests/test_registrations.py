"""The registrations of the application have no mistakes."""

from application.lookup import lookup

import reg


def test_the_registrations_have_no_mistakes():
    assert reg.check(lookup) == []
