package exchange_test

import "testing"

// While a store waits before it runs a group again, what others did is taken up and answered
// from as ever.
func TestAGroupThatIsRunAgainHoldsNobodyUpMeanwhile(t *testing.T) {
	s := serve(t, 2)
	s.push(1, 2, temperature(1, "g1", 0, "36.5"))
	s.all[0].store.between = func() {
		s.push(1, 2, temperature(2, "g1", 0, "36.5"))
		s.must(s.all[0].TakeUp(t.Context()))
		expect(s, "held", s.contact(0, 2, "", 0).Receipt.Held, 2)
	}
	v := s.push(0, 1, temperature(3, "g1", 0, "36.5"))
	expect(s, "version", v.Version, s.numbered())
	s.sound()
}
