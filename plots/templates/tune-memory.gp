# bars of an advice
